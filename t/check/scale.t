#!/usr/bin/perl

# Tests at scale (T72): 1,000 clients, 1,000,000 documents, one client of 5
# and one of 50,000.  Every page, filter, order, cursor and search, as
# clients and as staff, by the calls and with the settings of the workers.
# Then once more with the plans of all statements inside: none may read a
# whole table of the clients.
#
# What is measured is the time on a processor of the backend, where the
# system tells it: the machine may have other work.

use strict;
use warnings;
use utf8;

use Cwd ();
use DBI;
use FindBin;
use File::Path qw(remove_tree);
use File::Temp ();
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);

use constant { PAGE => 50, SEARCH => 150, LOAD => 240, RUNS => 5 };

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my $TOP = Cwd::abs_path("$FindBin::Bin/../..");
my $dir = File::Temp::tempdir('portal-scale-XXXXXXXX', DIR => '/var/tmp');
chmod 0755, $dir;
my $log = "$dir/log/postgresql.log";

END {
    if (defined $dir && -d $dir) {
        my $status = $?;
        system "$TOP/tools/cluster", 'stop', $dir, 'immediate';
        remove_tree($dir);
        $? = $status;
    }
}

$SIG{$_} = sub { exit 1 } for qw(INT TERM HUP);

my $socket = qx{"$TOP/tools/cluster" start "$dir" fsync=off \\
    full_page_writes=off shared_buffers=1GB max_wal_size=8GB \\
    autovacuum=off shared_preload_libraries=auto_explain \\
    auto_explain.log_nested_statements=on \\
    auto_explain.log_min_duration=-1};
chomp $socket;
-d $socket or BAIL_OUT('no database');

my $db = connection('postgres');
load();

my %id = map { $_ => $db->selectrow_array("select md5('c$_')::uuid") } 1 .. 4;
my $web = connection('portal_web');
my ($pid) = $web->selectrow_array('select pg_backend_pid()');
my (@requests, %slowest);

requests();

# times

for my $r (@requests) {
    my @times;
    my $warm = run($r);

    if ($r->{status} && $warm->{status} ne $r->{status}) {
        fail("$r->{name}: status $warm->{status}");
        next;
    }

    for (1 .. RUNS) {
        my $start = clock();
        run($r);
        push @times, (clock() - $start) * 1000;
    }

    my $median = (sort { $a <=> $b } @times)[RUNS / 2];
    my $kind = $r->{limit} == SEARCH ? 'search' : 'page';

    $slowest{$kind} = [ $median, $r->{name} ]
        if !$slowest{$kind} || $median > $slowest{$kind}[0];
    cmp_ok($median, '<', $r->{limit}, sprintf '%s: %.1f ms', $r->{name},
        $median);
}

diag(sprintf 'slowest %s: %.1f ms, %s', $_, @{ $slowest{$_} })
    for sort keys %slowest;

# plans

my $size = -s $log;
$web->disconnect;
$db->do("alter role portal_web set auto_explain.log_min_duration = '0'");
$web = connection('portal_web');
my %seen;

for my $r (@requests) {
    run($r);
    my $plans = grown();
    my %wrong = map { $_ => 1 } $plans =~ /(Seq\ Scan\ on\ (?:document|search|
        opening|document_count|membership|session)\b)/gx;
    $seen{plans} += () = $plans =~ /plan:/g;
    is(join(', ', sort keys %wrong), '', "plans of $r->{name}");
}

cmp_ok($seen{plans} // 0, '>', 5 * @requests, 'there were plans to look at');

$web->disconnect;
$db->disconnect;
done_testing();


sub connection {
    my ($user) = @_;
    return DBI->connect("dbi:Pg:dbname=portal;host=$socket", $user, '',
        { RaiseError => 1, PrintError => 0, pg_enable_utf8 => 1 });
}


sub load {
    my $start = time;
    my @psql = ('psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null',
        '-d', "host=$socket dbname=portal user=postgres");
    my @indexes = @{ $db->selectcol_arrayref(
        q{select pg_get_indexdef(indexrelid) from pg_index
          where indrelid = 'portal.search'::regclass and not indisprimary}) };

    system(@psql, '-f', "$FindBin::Bin/scale.psql") == 0
        or BAIL_OUT('scale.psql');

    $db->do("drop index portal.$_") for map { /INDEX (\S+)/ } @indexes;
    both(map { [ @psql, '-v', "half=$_", '-f',
        "$FindBin::Bin/scale_search.psql" ] } 0, 1);
    both(map { [ @psql, '-c', "set maintenance_work_mem = '512MB'", '-c',
        $_ ] } @indexes);
    $db->do('vacuum analyze');

    my $took = time - $start;
    cmp_ok($took, '<', LOAD, sprintf 'loaded in %.0f s', $took);
    is($db->selectrow_array('select count(*) from portal.document'),
        1_000_000, 'documents');
    is($db->selectrow_array(q{select count(*) from portal.document
        where client_id = md5('c3')::uuid}), 50_000, 'of one client');
    return;
}


# commands at the same time
sub both {
    my @pids = map {
        my $command = $_;
        my $pid = fork // die "fork: $!";
        if (!$pid) {
            exec { $command->[0] } @$command;
            exit 127;
        }
        $pid;
    } @_;

    for (@pids) {
        waitpid $_, 0;
        BAIL_OUT('loading failed') if $?;
    }

    return;
}


# Seconds that the backend has been on a processor, or of the clock.
sub clock {
    if (open my $fh, '<', "/proc/$pid/schedstat") {
        my ($ns) = split ' ', scalar <$fh>;
        return $ns / 1e9;
    }

    return time;
}


# What the log has got since the last time.
sub grown {
    select undef, undef, undef, 0.02;
    open my $fh, '<:raw', $log or die "$log: $!";
    seek $fh, $size, 0;
    local $/;
    my $text = <$fh> // '';
    $size += length $text;
    return $text;
}


sub run {
    my ($r) = @_;
    my $row;

    eval {
        my $sql = ref $r->{sql} ? $r->{sql}->() : $r->{sql};
        my $st = $web->prepare_cached($sql);
        $st->execute(@{ $r->{bind} });
        $row = $st->fetchrow_hashref;
        $st->finish;
        1;
    } or return { status => $@ =~ s/\n.*//sr };

    return $row // { status => 'none' };
}


sub page {
    my ($as, $client, $page, $query, %o) = @_;
    my $path = $o{path} // {};
    my $name = join ' ', $as, ($client // ()), $page,
        (map { "$_=$query->{$_}" } sort keys %$query), values %$path;

    push @requests, {
        name => $name,
        limit => defined $query->{q} ? SEARCH : PAGE,
        status => $o{status} // 200,
        sql => 'select nonce, status, location, flash, body, errors, shell'
            . ' from portal.call(sha256(?::text::bytea), ?, ?, ?, ?, ?)',
        bind => [ $as, $page, 'GET', $client, JSON::PP->new->encode({
            path => $path, query => $query, ip => '127.0.0.1', id => 'x',
            agent => 'scale', html => JSON::PP::true, max_bytes => 1,
            accept => '.pdf' }), 'nonce' ],
    };
    return;
}


sub call {
    my ($name, $sql, @bind) = @_;
    push @requests, { name => $name, limit => PAGE, sql => $sql,
        bind => \@bind };
    return;
}


# The document in the middle of an order of the client.
sub middle {
    my ($n, $order) = @_;
    return scalar $db->selectrow_array("select id from portal.document
        where client_id = ? and live order by $order offset (select count(*)
        / 2 from portal.document where client_id = ? and live) limit 1", {},
        $id{$n}, $id{$n});
}


sub requests {
    my $nothing = '00000000-0000-4000-8000-000000000000';

    for my $n (1, 2, 3) {
        my $by_date = middle($n, 'date desc, id desc');
        my $by_name = middle($n, 'title_key, id');
        my $one = middle($n, 'published_at');

        for my $who ([ "client-$n" ], [ 'admin', "client-$n" ],
            [ 'collaborator', "client-$n" ])
        {
            list(@$who[0, 1], $by_date, $by_name);
            page(@$who[0, 1], 'document', {}, path => { id => $one });
            page(@$who[0, 1], 'document', {}, path => { id => $nothing },
                status => 404);

            call("grant $who->[0] client-$n", 'select * from
                portal.file_grant(sha256(?::text::bytea), ?, ?, ?, ?, ?)',
                $who->[0], $who->[1], $one, 'nonce', '127.0.0.1', 'x');
            call("grant of nothing $who->[0] client-$n", 'select * from
                portal.file_grant(sha256(?::text::bytea), ?, ?, ?, ?, ?)',
                $who->[0], $who->[1], $nothing, 'nonce', '127.0.0.1', 'x');
        }

        call("upload_check client-$n", 'select * from portal.upload_check(
            sha256(?::text::bytea), ?, ?, ?)', "client-$n", undef, 1000,
            'nonce');
        call("session client-$n", 'select * from portal.session(
            sha256(?::text::bytea), ?)', "client-$n", 'nonce');
    }

    page('accountant', 'client-7', 'documents', {});
    page($_, undef, 'clients', {}) for 'accountant', 'admin', 'collaborator';
    page($_, undef, 'sessions', {}) for 'accountant', 'admin';
    page('admin', undef, 'clients', { after => $db->selectrow_array(
        'select id from portal.client order by name, id offset 500 limit 1')
    });
    call('session of nobody', 'select * from portal.session(
        sha256(?::text::bytea), ?)', 'nobody', 'nonce');
    call('touch of 500 sessions', q{select portal.touch(array(
        select sha256(('other' || n)::bytea)
        from generate_series(1, 500) n))});

    # one that is only begun counts as a failure
    sign_in('finish', 'client-3', 1);
    sign_in('finish', $_, 0) for 'client-3', 'nobody';
    sign_in('start', $_) for 'client-3', 'nobody';
    return;
}


sub list {
    my ($as, $client, $by_date, $by_name) = @_;
    my @searches = ('facture', 'bulletin', 'bulletin paie', 'fact', 'Kergoff',
        'kergof', 'Kregoff', 'bulletn', 'bulltin kergof', 'factrue 2023',
        'déclaration TVA mars 2021', 'comptes annuels 2022 liasse fiscale',
        'de la', 'le', 'a', 'xyzzyplugh', 'qwrtz facture', '10234', '2021',
        'anne yann claire loic sophie karim ines erwan',
        'aaaa bbbb cccc dddd eeee ffff gggg hhhh', '%_\\\'"', '···');
    my $years = [ map { (localtime)[5] + 1900 - $_ } 0, 3, 6, 40 ];

    for my $sort (qw(recent name unread)) {
        page($as, $client, 'documents', { sort => $sort });

        for my $category (qw(paie attestations depots none)) {
            page($as, $client, 'documents', { sort => $sort,
                category => $category });
            page($as, $client, 'documents', { sort => $sort,
                category => $category, year => $years->[1] });
        }

        page($as, $client, 'documents', { sort => $sort, year => $_ })
            for @$years;

        my $after = $sort eq 'name' ? $by_name : $by_date;
        page($as, $client, 'documents', { sort => $sort, after => $after });
        page($as, $client, 'documents', { sort => $sort,
            after => "~$after" });
        page($as, $client, 'documents', { sort => $sort, after => $after,
            category => 'paie' });
        page($as, $client, 'documents', { sort => $sort, after => $after,
            year => $years->[1] });
        page($as, $client, 'documents', { sort => $sort, after => $after,
            q => 'bulletin' });
        page($as, $client, 'documents', { sort => $sort, q => $_ })
            for 'facture', 'factrue';
    }

    page($as, $client, 'documents', { q => $_ }) for @searches;
    page($as, $client, 'documents', { q => $_, year => $years->[1] })
        for 'bulletin', 'bulletn';
    page($as, $client, 'documents', { q => $_, category => 'courriers' })
        for 'bulletin', 'bulletn';
    return;
}


# A sign-in, each time from another network.
sub sign_in {
    my ($step, $key, $right) = @_;
    my $n = 0;
    my $email = "$key\@scale.example";
    my $start = sub { return sprintf q{select * from portal.sign_in_start(
        '%s', '%08x%024x', null, 2, 65536, 'nonce')}, $email, $$, $n++ };
    my $finish = sub {
        my ($attempt) = @{ $web->selectrow_hashref($start->()) }{attempt};
        my $output = $right ? $key : 'wrong';
        return "select * from portal.sign_in_finish('$attempt', '$email',
            sha256('$output'::bytea), sha256('t$n'::bytea), null,
            sha256('d$n'::bytea), '127.0.0.1', 'scale', '{1800,900}',
            '{43200,28800}', 'nonce')";
    };

    push @requests, {
        name => "sign_in_$step $key" . ($right ? '' : ' wrong'),
        limit => PAGE, bind => [],
        sql => $step eq 'start' ? $start : $finish,
        status => $step eq 'start' ? undef : $right ? 'ok' : 'refused',
    };
    return;
}
