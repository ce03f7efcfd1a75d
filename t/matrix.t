#!/usr/bin/perl

# The authorisation matrix (AC16, S-38 to S-45, F5): every route by every
# method, visitor, object and address, see Portal::Matrix.  Once, with all
# barriers up; t/check/matrix.t takes each of them away.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Portal::Matrix;

my $t = Portal::Test->new(seed => 0);
$t->run;

my $m = Portal::Matrix->new($t, sample => $ENV{PORTAL_ASAN} ? 5 : 1);
$m->plant;
$m->run->report;

my $least = $ENV{PORTAL_ASAN} ? 4000 : 20000;
cmp_ok($m->{sum}{requests}, '>', $least, 'requests');

$t->done;
