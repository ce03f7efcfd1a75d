#!/usr/bin/perl

# The portal in a browser that runs no script.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new(limit => '2m');
$b->run('without_script.mjs');
$b->done;
