#!/usr/bin/perl

# The authorisation matrix (AC16, S-38 to S-45, F5): every route by every
# method, visitor, object and address, see Portal::Matrix.  Once, with all
# barriers up; t/check/matrix.t takes each of them away.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Portal::Matrix;

# the switch that opens the worker's barrier is in no module but the tests'

my $build = Portal::Test::top() . '/build';

for my $case ([ "$build/ngx_http_portal_module.so", 0 ],
    [ $ENV{PORTAL_TEST_MODULE} // "$build/test/ngx_http_portal_module.so", 1 ])
{
    my ($file, $there) = @$case;

  SKIP: {
        skip "no $file", 1 if !-f $file;
        open my $fh, '<:raw', $file or die "$file: $!";
        my $found = do { local $/; <$fh> } =~ /portal_test_|test_open/ ? 1 : 0;
        is($found, $there, ($there ? 'the test' : 'no')
            . ' module has the switch');
    }
}

my $t = Portal::Test->new(seed => 0);

my ($ok, $output) = do {
    local $ENV{PORTAL_MODULE} = "$build/ngx_http_portal_module.so";
    local $ENV{PORTAL_NGINX} = '/usr/sbin/nginx';
    $t->check(portal => 'portal_test_open on;');
};
ok(!$ok, 'nor takes the directive');
like($output, qr/unknown directive "portal_test_open"/, '… unknown');

$t->run;

my $m = Portal::Matrix->new($t, sample => $ENV{PORTAL_ASAN} ? 2 : 1);
$m->plant;
$m->run->report;

cmp_ok($m->{sum}{requests}, '>', $ENV{PORTAL_ASAN} ? 18_000 : 36_000,
    'requests');

$t->done;
