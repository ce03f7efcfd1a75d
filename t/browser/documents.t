#!/usr/bin/perl

# Finding, reading and downloading documents in a browser.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new;
$b->run('documents.mjs');
$b->done;
