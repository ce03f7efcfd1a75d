#!/usr/bin/perl

# Tests for deposits of which the worker dies (S-47): it is killed at each of
# the system calls that a deposit makes, in itself and in its threads.
#
#   I1  the file of every row exists, with its size and its hash
#   I2  a deposit whose answer somebody saw is a row (and so, I1)
#   I3  a file without a row is in tmp/, or whole under the name of its hash
#
# Then the machine dies: what the disk of the store has at that moment is
# copied, and I1 holds for the rows of which somebody saw the answer.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Portal::Test;
use Portal::Strace;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time sleep);

# what a worker tells of being traced is a call of write() of its own
$ENV{PORTAL_TEST_LOG} //= 'notice';

plan(skip_all => 'no process can be traced here') if !Portal::Strace::usable();

my $t = Portal::Test->new(settings => { fsync => 'on' });
$t->run(workers => 1, main => 'thread_pool portal_files threads=1;');
$t->allow(qr/exited on signal 9/);

my $db = $t->db;
my $c = $t->client(as => 'owner', timeout => 5);
my ($n, $killed, $seen, $start) = (0, 0, 0, time);

# Each content begins with another byte of its hash's name, mostly: folders
# are made too.
sub raw {
    my ($name) = @_;
    return $c->upload('documents', "$name\n" x 5000, name => $name);
}

sub form {
    my ($name) = @_;
    return $c->post_multipart('documents', [ [ files => "$name\n" x 3000,
        $name ], [ files => "second $name\n", $name ] ]);
}

# What is wrong, or nothing.
sub faults {
    my ($name, $files, $r) = @_;
    my @faults;

    # the transaction of a worker that died ends by itself
    $t->wait_for(sub { !$db->value(q{select count(*) from pg_stat_activity
        where usename = 'portal_web' and state <> 'idle'}) }, 5)
        or push @faults, 'PostgreSQL is busy';

    my @rows = $db->rows(q{select encode(hash, 'hex') as hex, size, name
        from portal.document where deposited});

    for (@rows) {
        my $content = $t->read($t->stored($_->{hex}));
        push @faults, "I1: $_->{name}" if length $content != $_->{size}
            || sha256_hex($content) ne $_->{hex};
    }

    my $own = grep { $_->{name} eq $name } @rows;
    push @faults, "I2: $own rows" if $r && $own != $files;
    push @faults, "one of two" if $own && $own != $files;

    for (split /\n/, qx{cd '$t->{dir}/files' && find . -type f}) {
        next if m{^\./tmp/};
        my $name = s{^\./|/}{}gr;
        push @faults, "I3: $_" if $name !~ /^[0-9a-f]{64}$/
            || sha256_hex($t->read("files/$_")) ne $name;
    }

    return @faults;
}

sub crash {
    my ($kind, $files, $deposit, $call, $k) = @_;
    my ($worker) = $t->workers;
    my $name = "$kind-$call-$k-" . $n++ . '.txt';

    $c->disconnect;
    my $s = Portal::Strace->attach($worker, "$call:signal=KILL:when=$k");
    my $r = eval { $deposit->($name) };

    $seen++ if $r;
    is($r->status, 303, "$name: status") if $r && $r->status != 303;

    my $dead = $t->wait_for(sub { !kill 0, $worker }, $r ? 0.1 : 2);
    $s->detach;
    is($dead, 1, "$name: no answer, so it was killed") if !$r && !$dead;

    $t->wait_for(sub { my ($w) = $t->workers; $w && $w != $worker }, 5)
        or fail("$name: no other worker") if $dead;

    my @faults = faults($name, $files, $r);
    is("@faults", '', "$name: invariants") if @faults;

    $killed++ if $dead;
    return $dead ? 1 : 0;
}

for ([ raw => 1, \&raw ], [ form => 2, \&form ]) {
    my ($kind, $files, $deposit) = @$_;

    is($deposit->('warm.txt')->status, 303, "$kind: without a fault");

    for my $call (qw(openat pwritev pwrite64 read write fsync mkdir rename
        unlink close sendto recvfrom writev))
    {
        my $k = 1;
        $k++ while $k < 25 && crash($kind, $files, $deposit, $call, $k);
        pass("$kind: killed at " . ($k - 1) . " calls of $call");
        last if time - $start > 240;
    }
}

cmp_ok($killed, '>=', 60, "$killed times killed, $seen answers seen");
$c->disconnect;
is(raw('after.txt')->status, 303, 'the next is kept');
is(join(' ', faults('after.txt', 1, 1)), '', 'invariants');

# a disk of its own, as a file; a copy of it is what a power cut leaves

my ($disk, $copy) = map { "$t->{dir}/$_" } qw(disk copy);

END {
    system "umount '$_' 2>/dev/null" for grep { defined && -d } $disk, $copy;
}

sub mounted {
    my ($image, $at) = @_;
    return system("mount -o loop '$image' '$at' 2>/dev/null") == 0;
}

SKIP: {
    mkdir $_ for $disk, $copy;
    skip 'no disk can be made and mounted here', 3 if $> != 0 || system(
        "truncate -s 48m '$disk.img' && mkfs.ext4 -q -F '$disk.img' "
        . '2>/dev/null') != 0 || !mounted("$disk.img", $disk);

    mkdir "$disk/files";
    chown +($t->web_ids), "$disk/files";
    $t->write_conf(workers => 1, storage => "$disk/files",
        main => 'thread_pool portal_files threads=1;');
    my ($worker) = $t->workers;
    kill HUP => $t->master;
    $t->wait_for(sub { my ($w) = $t->workers; $w && $w != $worker
        && $t->workers == 1 }, 10);
    $c->disconnect;

    # The files of rows that a copy of the disk lacks, and how many it has.
    my $lost = sub {
        my ($names) = @_;
        my (@lost, $n);

        system 'cp', "$disk.img", "$copy.img";
        mounted("$copy.img", $copy) or die 'the copy cannot be mounted';

        for ($db->rows(q{select encode(hash, 'hex') as hex from
            portal.document where name like ?}, $names))
        {
            my $path = "$copy/files/" . $_->{hex} =~ s{^(..)}{$1/}r;
            $n++;
            push @lost, $path if !-f $path
                || sha256_hex($t->read($path)) ne $_->{hex};
        }

        system 'umount', $copy;
        return ($n, @lost);
    };

    my ($all, @lost) = (0);

    for my $i (1 .. 20) {
        my $name = "power-$i.txt";
        my $r = $i % 2 ? raw($name) : form($name);
        is($r->status, 303, 'kept on that disk') if $r->status != 303;
        my ($n, @more) = $lost->('power-%');
        $all += $n;
        push @lost, "after $name: @more" if @more;
    }

    is("@lost", '', "power cut: $all files are there");

    # and would not be without fsync()
    $c->disconnect;
    ($worker) = $t->workers;
    my $s = Portal::Strace->attach($worker, 'fsync:retval=0');
    raw('control.txt');
    my ($n, @control) = $lost->('control%');
    $s->detach;
    is(scalar @control, 1, 'which this can tell');

    $c->disconnect;
    ok($t->stop, 'ended');
    is(system('umount', $disk), 0, 'no file of it is open');
    $t->write_conf(workers => 1);
    $t->start;
}

cmp_ok(time - $start, '<', 300, 'seconds');

$t->done;
