#!/usr/bin/perl

# Tests for deposits for which the disk has no room, or fails (S-49): an error
# at each system call on the store is told by 507 or 503, nothing is kept, the
# worker lives, and the next deposit works.
#
# A bug that was found here: where nginx itself could not write the body, the
# answer was 500.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Portal::Test;
use Portal::Strace;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time sleep);

plan(skip_all => 'no process can be traced here') if !Portal::Strace::usable();

my $t = Portal::Test->new;
$t->allow(qr{write\(\) to eventfd});
$t->run(workers => 1, main => 'thread_pool portal_files threads=1;');

my $db = $t->db;
my $c = $t->client(as => 'owner', timeout => 5);
my ($worker) = $t->workers;
my ($n, $start) = (0, time);
my $disk = "$t->{dir}/disk";

END { system "umount '$disk' 2>/dev/null" if $disk && -d "$disk/tmp" }

sub raw {
    my ($name) = @_;
    return $c->upload('documents', "$name\n" x 20000, name => $name);
}

sub form {
    my ($name) = @_;
    return $c->post_multipart('documents', [ [ files => "$name\n" x 20000,
        $name ], [ files => "second $name\n", $name ] ]);
}

sub rows { return $db->value('select count(*) from portal.document') }

# What is in the store is whole.
sub store {
    return join ' ', grep { !m{/tmp/} && sha256_hex($t->read("files/$_")) ne
        s{^\./|/}{}gr } split /\n/,
        qx{cd '$t->{dir}/files' && find . -type f};
}

# The calls on the store that a deposit makes: [ task, call, its number ].
sub calls {
    my ($deposit) = @_;
    my $s = Portal::Strace->attach($worker, undef, trace =>
        'openat,pwritev,pwrite64,pwritev2,write,read,fsync,mkdir,rename');
    is($deposit->('recorded.txt')->status, 303, 'without a fault');
    sleep 0.1;
    my (%count, @calls);

    for ($s->detach) {
        my ($task, $call, $rest) = /^(\d+)\s+(\w+)\((.*)/ or next;
        my $k = ++$count{"$task $call"};
        push @calls, [ $task, $call, $k ] if $rest =~ m{\Q$t->{dir}\E/files};
    }

    return @calls;
}

my %errors = (
    openat => [qw(ENOSPC EMFILE EROFS EIO)], mkdir => [qw(ENOSPC EROFS)],
    rename => [qw(ENOSPC EIO)], fsync => [qw(ENOSPC EIO EDQUOT)],
    read => ['EIO'],
    map { $_ => [qw(ENOSPC EIO EDQUOT)] } qw(write pwritev pwrite64 pwritev2),
);

for ([ raw => \&raw ], [ form => \&form ]) {
    my ($kind, $deposit) = @$_;
    $deposit->('warm.txt');
    my @calls = calls($deposit);
    my %done;

    for (@calls) {
        my ($task, $call, $k) = @$_;
        my $where = $task == $worker ? 'nginx' : 'thread';
        $done{"$where $call"}++;

        for my $error (@{ $errors{$call} }) {
            my $rows = rows();
            my $name = sprintf '%s, %s %s %d, %s', $kind, $where, $call, $k,
                $error;
            my $s = Portal::Strace->attach($worker,
                "$call:error=$error:when=$k", task => $task);
            my $r = eval { $deposit->($n++ . '.txt') };
            my @hits = grep { /INJECTED/ } $s->detach;

            # pieces are gathered as they come, so this time it may have been
            # the thread's word to its worker, which no disk refuses
            if (grep { !m{\Q$t->{dir}\E/files} } @hits) {
                $c->disconnect;
                $deposit->($n++ . '.txt');
                next;
            }

            my $expected = $error =~ /ENOSPC|EDQUOT/ ? 507 : 503;
            my @faults;

            # a body that comes in pieces may be written by other calls
            next if !@hits && $where eq 'nginx';

            # nginx does not say why: the disk itself is asked, and has room
            $expected = 503 if $where eq 'nginx';

            push @faults, 'not injected' if !@hits;
            push @faults, 'status ' . ($r ? $r->status : 'none: ' . $@)
                if !$r || $r->status != $expected;
            push @faults, 'no page' if $r && $r->body !~ /<html lang="fr"/;
            push @faults, 'no Retry-After' if $r && $expected == 503
                && !$r->header('Retry-After');
            push @faults, 'a row' if rows() != $rows;
            push @faults, 'in tmp/: ' . join ' ', $t->temp_files
                if !$t->wait_for(sub { !$t->temp_files }, 1);
            push @faults, 'not whole: ' . store() if store() ne '';
            push @faults, 'another worker' if ($t->workers)[0] != $worker;
            is(join('; ', @faults), '', $name) if @faults;
        }

        my $r = $deposit->($n++ . '.txt');
        is($r->status, 303, "$kind: the next") if $r->status != 303;
    }

    pass("$kind: $_: $done{$_} places") for sort keys %done;
}

ok($t->logged(qr/\[err[^]]*\].*upload: \w+ failed \(28: No space left/),
    'the log says which call failed, and why');
ok($t->wait_for(sub { !$t->temp_files }, 2), 'nothing in tmp/');
cmp_ok($n, '>=', 60, "$n deposits, " . int(time - $start) . ' s');

# a store that is full: 2 MiB of memory

SKIP: {
    mkdir $disk;
    skip 'nothing can be mounted here', 12 if $> != 0 || system(
        "mount -t tmpfs -o size=2m,mode=0755 tmpfs '$disk' 2>/dev/null") != 0;
    chown +($t->web_ids), $disk;

    $t->write_conf(workers => 1, storage => $disk,
        portal => 'client_max_body_size 3m;');
    $t->reload;
    ok($t->wait_for(sub { ($t->workers)[0] != $worker }, 5), 'on the disk');
    ($worker) = $t->workers;
    $c->disconnect;

    sub upload {
        my ($size, $char) = @_;
        return $c->upload('documents', $char x $size, name => 'a.txt');
    }

    sub both {
        my ($size, $char) = @_;
        return $c->post_multipart('documents',
            [ [ files => $char x $size, 'a.txt' ] ]);
    }

    for my $deposit (\&upload, \&both) {
        my $rows = rows();
        is($deposit->(600_000, 'a')->status, 303, 'there is room');
        is($deposit->(1_900_000, 'b')->status, 507, 'and then there is not');
        is(rows(), $rows + 1, 'nothing of it is kept');
        ok($t->wait_for(sub { !glob "$disk/tmp/*" }, 2), 'nor is in tmp/');
        is($deposit->(100_000, 'c')->status, 303, 'a smaller one has room');
        system 'find', $disk, '-type', 'f', '-delete';
        is($deposit->(900_000, 'd')->status, 303, 'room again, no restart');
        system 'find', $disk, '-type', 'f', '-delete';
    }

    is(($t->workers)[0], $worker, 'the same worker');
    $c->disconnect;
    $t->stop;
    system 'umount', $disk;
}

$t->done;
