#!/usr/bin/perl

# Two clients of one person in two tabs, language, theme.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new;
$b->run('account.mjs');
$b->done;
