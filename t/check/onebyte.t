#!/usr/bin/perl

# The end to end tests again, with sockets that take and give a byte at a
# time, and now and then nothing (S-72): see onebyte.c.  Not those about time
# or about hundreds of megabytes.

use strict;
use warnings;

use Cwd ();
use File::Basename qw(dirname);
use File::Temp ();
use Test::More;

my $top = Cwd::abs_path(dirname(__FILE__) . '/../..');
my $dir = File::Temp::tempdir(CLEANUP => 1);
my %not = map { $_ => 1 } qw(docs style outage outage_query upload_body
    upload_way file_store life onebyte cache isolation_quota);

plan(skip_all => 'not with sanitizers') if $ENV{PORTAL_ASAN};

chmod 0755, $dir;
system('gcc', '-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror', '-shared',
    '-fPIC', '-o', "$dir/onebyte.so", "$top/t/check/onebyte.c", '-ldl') == 0
    or die 'onebyte.c does not build';
chmod 0755, "$dir/onebyte.so";

open my $fh, '>', "$dir/nginx" or die "$dir/nginx: $!";
print $fh "#!/bin/sh\nLD_PRELOAD='$dir/onebyte.so' exec '",
    $ENV{PORTAL_NGINX} // '/usr/sbin/nginx', "' \"\$\@\"\n";
close $fh;
chmod 0755, "$dir/nginx";
$ENV{PORTAL_NGINX} = "$dir/nginx";

for my $file (sort glob "$top/t/*.t") {
    my ($name) = $file =~ m{([^/]+)\.t$};
    next if $not{$name} || (@ARGV && !grep { $_ eq $name } @ARGV);

    my $output = qx{timeout -k 5 240 perl -I'$top/t/lib' '$file' 2>&1};
    my $status = $? >> 8;
    my $passed = () = $output =~ /^ok /mg;

    is($status, 0, "$name: $passed passed");
    diag(grep { /^not ok|^#\s+(?:Failed|got|expected)|closed|answer/ }
        map { "$_\n" } split /\n/, $output) if $status;
}

done_testing();
