#!/usr/bin/perl

# A storm (S-43, F6): two clients' people ask for pages, files, parts of
# files, searches, deposit, delete and sign out from 32 connections at once;
# every third of them resets its connection within 20 ms, meanwhile backends
# of PostgreSQL are terminated and nginx is reloaded.  Not one byte of the
# other client is in any answer, however short it was cut; and in the end
# everything is as it was before: connections, files, memory.
#
# PORTAL_STORM=n for another number of requests than 20,000.

use FindBin;
use lib "$FindBin::Bin/../lib";
use Portal::Test;
use POSIX ();
use Storable qw(store retrieve);
use Time::HiRes qw(time sleep);

use constant PEOPLE => 32;

my $total = $ENV{PORTAL_STORM} // 20_000;
my $t = Portal::Test->new(settings => { max_connections => 150 });

$t->run(site => 'location = /status { stub_status; }',
    portal => 'client_max_body_size 4m;', session => 'idle=4h');

my $db = $t->db;
my %other = (alpha => 'bravo', bravo => 'alpha');
my %foreign = (alpha => qr/MARKbravo|Bravo &amp; Fils|Bravo & Fils|\@bravo/,
    bravo => qr/MARKalpha|Alpha SARL|\@alpha/);
my %documents;

# files in which each line says whose they are
for my $client (sort keys %other) {
    my $line = sprintf "%-31s\n", "MARK$client";
    my @more = map { { client => $client, title => "Gros MARK$client $_",
        name => "MARK$client-$_.txt", content => $line x (4000 * $_) } }
        1 .. 8;
    $documents{$client} = [ map { $_->{id} } $t->documents($client),
        $db->documents(\@more) ];
}

my @people = map {
    my $client = $_ % 2 ? 'alpha' : 'bravo';
    { client => $client, id => $db->person(password => 0,
        email => "storm$_\@$client.example", name => "P$_ MARK$client",
        clients => { $client => 'owner' }) };
} 1 .. PEOPLE;


sub status {
    my $r = $t->client->get('/status', close => 1);
    my ($active) = $r->body =~ /Active connections: (\d+)/;
    return $active;
}

sub memory {
    my %rss;

    for my $pid ($t->workers) {
        ($rss{$pid}) = $t->read("/proc/$pid/status") =~ /^VmRSS:\s+(\d+)/m;
    }

    return \%rss;
}

# files stay open as long as they are remembered
sub sockets {
    my %n;

    for my $pid ($t->workers) {
        $n{$pid} = grep { (readlink // '') =~ /^socket:/ }
            glob "/proc/$pid/fd/*";
    }

    return \%n;
}

# One person's part: so many requests; what came of them.
sub rage {
    my ($who, $requests, $seed) = @_;
    my $client = $who->{client};
    my $foreign = $foreign{$client};
    my @ids = @{ $documents{$client} };
    my @strange = @{ $documents{ $other{$client} } };
    my (%n, @faults, @mine);
    my $c = $t->client(timeout => 15);

    srand $seed;
    $c->set_cookie('', shift @{ $who->{tokens} });

    my $check = sub {
        my ($bytes, $what) = @_;
        $n{bytes} += length $bytes;
        push @faults, "$what: " . substr $bytes, $-[0], 60
            if $bytes =~ $foreign;
    };

    for my $i (1 .. $requests) {
        my ($method, $path, %o) = wish($c, $client, \@ids, \@strange, \@mine);
        my $what = "$method $path";
        $n{requests}++;

        if (rand() < 0.35) {
            # gone again at once; what has come until then counts
            my $x = $t->client(timeout => 15);
            $x->{jar} = { %{ $c->{jar} } };
            eval {
                $x->connect;
                $x->send($x->bytes($method, $path, %o));
                sleep rand 0.02;
                $x->{socket}->blocking(0);
                my $bytes = '';
                1 while sysread $x->{socket}, $bytes, 65536, length $bytes;
                $check->($bytes, $what);
                $x->abort;
            };
            $n{aborted}++;
            next;
        }

        my $r = eval { $c->request($method, $path, %o) };

        if (!$r) {
            # a worker that ends may close before the first byte
            $n{closed}++;
            push @faults, "$what: $@" if $@ !~ /^closed without an answer/;
            $c->disconnect;
            next;
        }

        $check->($r->head . $r->body, $what);
        $n{ $r->status }++;
        push @faults, "$what: " . $r->status
            if $r->status !~ /^(?:200|206|303|304|401|404|416|422|503)$/
                && !($r->status == 403 && $path eq 'sign-out');

        # signed out by a request that was not waited for
        if ($r->status =~ /^40[13]$/
            || ($r->location // '') =~ m{/sign-in\b} && $path ne 'sign-out')
        {
            $n{'signed out'}++;
            $c->{jar} = {};
            $c->set_cookie('', shift @{ $who->{tokens} } // last);
            next;
        }

        push @faults, "$what: foreign, and " . $r->status
            if $path =~ /strange/ && $r->status !~ /^(?:404|503)$/;

        # an answer that is whole is one's own
        if ($r->status == 200 && $method eq 'GET'
            && $path =~ m{/file$|/preview$})
        {
            my @lines = split /\n/, $r->body;
            push @faults, "$what: not a file of $client"
                if !grep { /MARK$client/ } @lines;
            push @faults, "$what: cut" if $r->cut;
        }

        if ($path eq 'documents' && $method eq 'POST'
            && ($r->location // '') =~ m{documents/([0-9a-f-]{36})$})
        {
            push @mine, $1;
        }

        if ($path eq 'sign-out' && $r->status == 303) {
            $n{'signed out'}++;
            $c->{jar} = {};
            $c->set_cookie('', shift @{ $who->{tokens} } // last);
        }
    }

    $c->disconnect;
    return { n => \%n, faults => \@faults };
}

sub one { return $_[ rand @_ ] }

# What to ask for next.
sub wish {
    my ($c, $client, $ids, $strange, $mine) = @_;
    my $id = one(@$ids);
    my $dice = rand;

    return (GET => one('documents', 'documents?sort=name', '', 'clients',
        'sessions', "c/$client/documents", "documents/$id"))
        if $dice < 0.25;
    return (GET => "documents/$id/file") if $dice < 0.45;
    return (GET => "documents/$id/file", headers => { Range => one(
        'bytes=0-99', 'bytes=1000-', 'bytes=-50', 'bytes=99999999-') })
        if $dice < 0.55;
    return (GET => "documents/$id/preview") if $dice < 0.60;
    return (HEAD => "documents/$id/file") if $dice < 0.63;
    return (GET => 'documents?q=' . one(qw(MARK MARKalph MARKbrav alph
        brav gros titre xyz grs))) if $dice < 0.73;
    return (GET => 'documents/' . one(@$strange) . one('/file', '', '/preview')
        . '?strange') if $dice < 0.80;
    return (GET => 'documents', accept => 'json') if $dice < 0.83;

    my %form = (type => 'application/x-www-form-urlencoded',
        body => Portal::Client::form([ csrf => $c->csrf,
            theme => one(qw(auto light dark)) ]));

    return (POST => 'preferences', %form) if $dice < 0.87;
    return (POST => 'sign-out', %form) if $dice < 0.89;
    return (POST => 'documents/' . pop(@$mine) . '/delete', %form)
        if $dice < 0.92 && @$mine;

    my $content = sprintf("%-31s\n", "MARK$client") x (1 + rand 3000);

    return (POST => 'documents', body => $content,
        type => 'application/octet-stream', headers => {
            'X-Portal-Csrf' => $c->csrf,
            'X-Portal-File' => "MARK$client-" . int(rand 1e6) . '.txt' })
        if $dice < 0.96;
    return (POST => 'documents', type => 'multipart/form-data; boundary=storm',
        body => Portal::Client::multipart('storm', [ csrf => $c->csrf ],
            [ files => $content, "MARK$client.txt", 'text/plain' ]));
}

# All people at once, and what disturbs them in a process of its own.
sub storm {
    my ($name, $requests, %o) = @_;
    my $from = time;
    my @children;

    for my $i (0 .. $#people) {
        my $pid = fork // die "fork: $!";

        if ($pid == 0) {
            $t->{dbs} = {};
            my $r = eval { rage($people[$i], int $requests / PEOPLE,
                $o{seed} + $i) } // { n => {}, faults => [ "died: $@" ] };
            store $r, "$t->{dir}/storm.$i";
            POSIX::_exit(0);
        }

        push @children, $pid;
    }

    my $chaos = fork // die "fork: $!";

    if ($chaos == 0) {
        $t->{dbs} = {};
        my ($longest, $kills, $reloads) = (0, 0, 0);
        my $stop = 0;
        local $SIG{USR1} = sub { $stop = 1 };
        my $db = $t->db;
        my $next = time + 4;

        while (!$stop) {
            sleep 0.2;
            my $idle = $db->value(q{select coalesce(max(extract(epoch from
                clock_timestamp() - state_change)), 0) from pg_stat_activity
                where usename = 'portal_web' and state like 'idle in%'});
            $longest = $idle if $idle > $longest;

            $kills += $db->value(q{select count(pg_terminate_backend(pid))
                from (select pid from pg_stat_activity
                      where usename = 'portal_web' order by random()
                      limit 1) x})
                if rand() < 0.3;

            next if !$o{reload} || time < $next;
            kill HUP => $t->master;
            $reloads++;
            $next = time + 5;
        }

        store { longest => $longest, kills => $kills, reloads => $reloads },
            "$t->{dir}/storm.chaos";
        POSIX::_exit(0);
    }

    waitpid $_, 0 for @children;
    kill USR1 => $chaos;
    waitpid $chaos, 0;

    my (%n, @faults);

    for my $i (0 .. $#people) {
        my $r = eval { retrieve("$t->{dir}/storm.$i") }
            // { n => {}, faults => ["no word of $i"] };
        $n{$_} += $r->{n}{$_} for keys %{ $r->{n} };
        push @faults, @{ $r->{faults} };
    }

    my $chaos_says = eval { retrieve("$t->{dir}/storm.chaos") } // {};
    is(join("\n", splice @faults, 0, 10), '', "$name: nothing foreign, "
        . 'nothing but what may come');
    cmp_ok($n{requests} // 0, '>=', int($requests / PEOPLE) * PEOPLE * 0.99,
        "$name: requests");
    cmp_ok($chaos_says->{longest} // 9, '<', 1,
        "$name: nothing is idle in its transaction");
    cmp_ok($n{200} // 0, '>', $requests / 6, "$name: most are answered");
    cmp_ok($n{503} // 0, '<', $requests / 20, "$name: few are unavailable");
    note sprintf '%s: %.0f s, %s, backends terminated: %d, reloads: %d',
        $name, time - $from, join(', ', map { "$_: $n{$_}" } sort keys %n),
        $chaos_says->{kills} // 0, $chaos_says->{reloads} // 0;
    return;
}

# sessions enough for all who sign out
sub sessions {
    for my $who (@people) {
        my $n = 4 + $total / PEOPLE / 30;
        $who->{tokens} = [ map { $t->session_for($who->{id}) } 1 .. $n ];
    }

    return;
}

my $quiet = status();
my $start = time;

sessions();
storm('with reloads', $total * 0.6, seed => 1, reload => 1);

# the workers of before are gone, the new ones have seen everything once

ok($t->wait_for(sub { $t->workers == 2 }, 30), 'old workers end');
sessions();
storm('warm', $total * 0.1, seed => 1000);
sleep 2;

my ($rss, $sockets) = (memory(), sockets());

sessions();
storm('steady', $total * 0.3, seed => 2000);
sleep 2;

my ($more_rss, $more_sockets) = (memory(), sockets());

for my $pid (sort keys %$rss) {
    my $grown = ($more_rss->{$pid} // 1e9) - $rss->{$pid};
    cmp_ok($grown, '<', 4096, "a worker grows by $grown KiB");

    my $opened = ($more_sockets->{$pid} // 1e9) - $sockets->{$pid};
    cmp_ok($opened, '<=', 4, "… and has $opened sockets more");
}

is(join(' ', sort keys %$more_rss), join(' ', sort keys %$rss),
    'no worker has died');
ok($t->wait_for(sub { status() <= $quiet }, 10),
    'connections are as before: ' . status());
ok($t->wait_for(sub { !$t->temp_files }, 5), 'no temporary file is left: '
    . join ' ', ($t->temp_files)[0 .. 2] // ());

# what was said to be there is there, and whose it is

my @rows = $db->rows(q{select c.slug, encode(d.hash, 'hex') as hash, d.size
    from portal.document d join portal.client c on c.id = d.client_id
    where d.deposited});
my @wrong = grep {
    my $content = $t->read($t->stored($_->{hash}));
    length $content != $_->{size} || $content !~ /MARK$_->{slug}/
        || $content =~ $foreign{ $_->{slug} } } @rows;
is(scalar @wrong, 0, 'deposits are whole, and of who made them: ' . @rows);
is($db->value(q{select count(*) from portal.opening o join portal.membership m
    on m.person_id = o.person_id where m.client_id <> o.client_id
    and o.person_id not in (select person_id from portal.membership
        where client_id = o.client_id)}), 0,
    'nobody opened a foreign document');
is($db->value(q{select count(*) from portal.document d join portal.person p
    on p.id = d.author_id where d.deposited and not exists (select from
    portal.membership m where m.person_id = p.id
    and m.client_id = d.client_id)}), 0, 'nor left one');
cmp_ok(time - $start, '<', 240, 'in time');

$t->done;
