#!/usr/bin/perl

# Depositing documents in a browser: by choosing and by dropping, several at
# once, and everything that can go wrong on the way.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new(limit => '2m');
$b->run('deposit.mjs');
$b->done;
