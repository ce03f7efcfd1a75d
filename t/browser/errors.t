#!/usr/bin/perl

# The pages of errors, each as a person comes by it.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new(limit => '2m');
$b->run('errors.mjs');
$b->done;
