#!/usr/bin/perl

# Without a mouse, with large letters, on narrow screens, without movement.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new;
$b->run('keyboard.mjs');
$b->done;
