#!/usr/bin/perl

# What the workers remember: it costs nothing where nothing has changed, and
# is forgotten at once where a right was taken away; whatever becomes of the
# listener meanwhile (S-25, T39, T61, T70, T71).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use IO::Select;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new(statements => 1);
$t->run(server => 'add_header X-Worker $pid always;');
my $slow = $ENV{PORTAL_ASAN} ? 3 : 1;

my $db = $t->db;
my ($document) = $t->documents('alpha');
my $file = "documents/$document->{id}/file";
my %n = (alpha => 0, bravo => 0);

# a client on each worker, all with this session
sub each_worker {
    my ($token) = @_;
    my %on;

    for (1 .. 200) {
        my $c = $t->client(timeout => 10);
        my $pid = $c->get('sign-in')->header('X-Worker');
        next if $on{$pid};
        $c->{jar} = {};
        $c->set_cookie('', $token) if defined $token;
        $on{$pid} = $c;
        last if keys %on == $t->workers;
    }

    return map { $on{$_} } sort keys %on;
}

# a document of its own for each case
sub document {
    my ($client) = @_;
    my $i = ++$n{$client};
    return $db->document(client => $client, title => "Case $client $i",
        content => "case $client $i\n", name => 'case.txt')->{id};
}

# what code costs, in calls of PostgreSQL
sub cost {
    my ($code) = @_;
    my $before = $db->calls;
    my $result = $code->();
    my $after = $db->calls;
    my %calls = map { $_ => $after->{$_} - ($before->{$_} // 0) }
        keys %$after;

    delete @calls{ 'touch', grep { !$calls{$_} } keys %calls };
    return join ' ', map { "$_: $calls{$_}" } sort keys %calls;
}

sub listener {
    return $db->value(q{select pid from pg_stat_activity
        where usename = 'portal_web' and query !~ '^select' limit 1});
}

# until the listener is there, and what the workers ask is remembered again
sub warm {
    my ($c, $path) = @_;
    return $t->wait_for(sub {
        $c->get($path);
        return cost(sub { $c->get($path) }) eq '';
    }, 6 * $slow);
}

ok($t->wait_for(sub { listener() }, 5), 'somebody listens');

# nothing has changed: nothing is asked

my $token = $t->session_for('owner');
my @workers = each_worker($token);
is(scalar @workers, 2, 'a client on each of two workers');
my ($c, $d) = @workers;

ok(warm($c, $file), 'a download is remembered');

is(cost(sub { $_->get($file) for ($c, $d) x 20 }), '',
    'forty downloads, by both workers: no query');
is(cost(sub { $_->head($file) for ($c, $d) x 5 }), '', 'HEAD: none');
is(cost(sub { $_->get($file, headers => { Range => 'bytes=0-3' })
    for ($c, $d) x 5 }), '', 'ranges: none');
is(cost(sub { $_->get($file, headers => { 'If-None-Match' =>
    $_->get($file)->header('ETag') }) for $c, $d }), '', 'conditional: none');
is(cost(sub { $_->get('documents') for ($c, $d) x 5 }), 'call: 10',
    'a page: one call');
is(cost(sub { $_->get('sign-in') for ($c, $d) x 5 }), '',
    'a page without a function: none');
is(cost(sub { $_->post('preferences', {}) for $c, $d }),
    'call: 2', 'a form: one');
is(cost(sub { $_->get('assets/portal.css') for $c, $d }), '', 'assets: none');

my $g = $t->client;
is(cost(sub {
    for (1 .. 300) {
        $g->{jar}{ $g->cookie_name('') } = $_ % 2
            ? $t->{keys}->token(forged => 1)
            : substr unpack('H*', Portal::Token::random(27)), 0, 54;
        $g->get('documents');
    }
}), '', '300 cookies that are none: no query');

$g = $t->client(from => '127.0.0.9');
is(cost(sub {
    for (1 .. 5) {
        $g->{jar}{ $g->cookie_name('') } = $t->{keys}->token;
        $g->get('documents');
    }
}), 'session: 5', 'tokens of ours that are no session\'s: one each');

is($db->value(q{select count(*) from portal.opening where person_id = ?},
    $t->id('owner')), 1, 'one opening is written, whoever asks how often');

# a right is taken away: the next request, on each worker, within a second

sub taken {
    my ($name, $token, $path, $revoke, %o) = @_;
    my @on = each_worker($token);
    my @faults;

    for my $c (@on) {
        warm($c, $path);
        my $r = $c->get($path);
        push @faults, 'not there before: ' . $r->status if $r->status != 200;
    }

    push @faults, 'costs ' . cost(sub { $_->get($path) for @on })
        if cost(sub { $_->get($path) for @on }) ne '';

    $revoke->();
    my $from = time;

    for my $c (@on) {
        my $r;
        my $until = $from + 3 * $slow;

        do { $r = $c->get($path) }
            while $r->status == 200 && time < $until;

        my $took = time - $from;
        push @faults, 'still there' if $r->status == 200;
        push @faults, sprintf '%.2f s', $took if $took > 1 * $slow;
        push @faults, 'refused by ' . $r->status
            if $r->status != ($o{status} // 404);

        # and stays so
        push @faults, 'there again' if grep { $c->get($path)->status == 200 }
            1 .. 3;
    }

    is(join(', ', @faults), '', "taken away: $name");
    return;
}

sub revoke { my @do = @_; return sub { $db->do(@do) } }

{
    my $s = $t->session_for('owner');
    taken('a session', $s, $file, revoke('delete from portal.session
        where token_hash = ?', \$t->{keys}->hash($s)), status => 303);

    $s = $t->session_for('owner');

    # of a person who ends sessions of their own
    my $person = $db->person(email => 'temp0@alpha.example',
        clients => { alpha => 'owner' });
    my $page = $t->client;
    $page->set_cookie('', $t->session_for($person));
    my @s = map { $t->session_for($person) } 1 .. 2;
    my $first = $db->value('select id from portal.session
        where token_hash = ?', \$t->{keys}->hash($s[0]));

    taken('a session, by its person', $s[0], $file, sub { is($page->post(
        "sessions/$first/revoke", {})->status, 303, 'revoked') },
        status => 303);
    taken('all others, by their person', $s[1], $file, sub { is($page->post(
        'sessions/revoke-others', {})->status, 303, 'revoked') },
        status => 303);

    my $out = $t->client;
    $out->set_cookie('', $s[2] = $t->session_for($person));
    taken('a session that signs out', $s[2], $file, sub { is($out->post(
        'sign-out', {})->status, 303, 'signed out') }, status => 303);
    taken('one that signs out everywhere', $t->session_for($person), $file,
        sub { is($page->post('sign-out', { everywhere => 1 })->status, 303,
            'signed out') }, status => 303);

    $person = $db->person(email => 'temp1@alpha.example',
        clients => { alpha => 'owner' });
    taken('a person is disabled', $t->session_for($person), $file,
        revoke('update portal.person set disabled_at = now() where id = ?',
            $person), status => 303);

    $person = $db->person(email => 'temp2@alpha.example',
        clients => { alpha => 'owner' });
    taken('a membership ends', $t->session_for($person), $file,
        revoke('update portal.membership set ended_at = now()
            where person_id = ?', $person));

    $person = $db->person(email => 'temp3@alpha.example',
        clients => { alpha => 'owner', bravo => 'owner' });
    taken('one of two memberships is deleted', $t->session_for($person),
        "c/alpha/$file", revoke('delete from portal.membership
            where person_id = ? and client_id = ?', $person, $t->id('alpha')));

    my $id = document('alpha');
    taken('a document is withdrawn', $t->session_for('owner'),
        "documents/$id/file", revoke('update portal.document
            set withdrawn_at = now() where id = ?', $id));

    $id = document('alpha');
    taken('a document is deleted', $t->session_for('owner'),
        "documents/$id/file", revoke('update portal.document
            set deleted_at = now() where id = ?', $id));

    $id = document('alpha');
    taken('a document becomes another client\'s', $t->session_for('owner'),
        "documents/$id/file", sub {
            $db->do('delete from portal.opening where document_id = ?', $id);
            $db->do('update portal.document set client_id = ? where id = ?',
                $t->id('charlie'), $id) });

    my $staff = $db->staff(email => 'temp4@staff.example',
        portfolio => ['alpha']);
    taken('a client leaves a portfolio', $t->session_for($staff),
        "c/alpha/$file", revoke('delete from portal.portfolio
            where person_id = ?', $staff));

    $staff = $db->staff(email => 'temp5@staff.example', role => 'manager');
    taken('a manager becomes a collaborator', $t->session_for($staff), $file,
        revoke(q{update portal.staff set role = 'collaborator'
            where person_id = ?}, $staff));

    $staff = $db->staff(email => 'temp6@staff.example', role => 'admin');
    taken('somebody leaves the staff', $t->session_for($staff), $file,
        revoke('delete from portal.staff where person_id = ?', $staff),
        status => 303);

    my $slug = 'temp';
    my $client = $db->client(name => 'Temp', slug => $slug);
    $person = $db->person(email => 'temp7@temp.example',
        clients => { $slug => 'owner' });
    $n{$slug} = 0;
    $id = document($slug);
    taken('a client is closed', $t->session_for($person),
        "documents/$id/file", revoke('update portal.client
            set closed_at = now() where id = ?', $client));
}

# … and only that is forgotten

ok(warm($c, $file), 'a session of before');
warm($d, $file);
$db->do('update portal.document set withdrawn_at = now() where id = ?',
    document('alpha'));
$db->do('delete from portal.session where token_hash = ?',
    \$t->{keys}->hash($t->session_for('bob')));
sleep 0.3;
is(cost(sub { $_->get($file) for $c, $d }), '',
    '… is remembered all the same');

# a download that is under way ends with its right

my $big = $db->document(client => 'alpha', title => 'Big', name => 'big.bin',
    mime => 'application/octet-stream',
    content => "0123456789abcdef" x 3276800);

# a UUID whose generations the zone counts where those of this one are
sub same_counter {
    my ($id) = @_;
    my $counter = sub { murmur(pack 'H*', $_[0] =~ tr/-//dr) % 4096 };
    my $wanted = $counter->($id);

    while (1) {
        my $hex = unpack 'H*', Portal::Token::random(16);
        my $other = join '-', unpack 'A8 A4 A4 A4 A12', $hex;
        return $other if $counter->($other) == $wanted;
    }
}

# MurmurHash2 of sixteen bytes, as nginx has it
sub murmur {
    use integer;
    my $mul = sub { ($_[0] * 0x5bd1e995) & 0xffffffff };
    my $h = 16;

    for my $k (unpack 'V4', $_[0]) {
        $k = $mul->($k);
        $k ^= $k >> 24;
        $h = $mul->($h) ^ $mul->($k);
    }

    $h ^= $h >> 13;
    $h = $mul->($h);
    return $h ^ $h >> 15;
}

# reads a little of it
sub start_download {
    my ($c, $path) = @_;
    $c->{rcvbuf} = 16384;
    $c->connect;
    $c->send($c->bytes('GET', $path));
    return read_more($c, 20000);
}

# so many bytes more, or as many as come until the end or for so long
sub read_more {
    my ($c, $bytes, $seconds) = @_;
    my $until = time + ($seconds // 5);
    my $n = 0;

    while ($n < $bytes && time < $until) {
        next if !IO::Select->new($c->{socket})->can_read(0.1);
        my $k = sysread $c->{socket}, my $some, 65536;
        return ($n, 1) if !$k;
        $n += $k;
    }

    return ($n, 0);
}

for my $case (
    [ 'its session' => sub { my (undef, $s) = @_; revoke(
        'delete from portal.session where token_hash = ?',
        \$t->{keys}->hash($s))->() } ],
    [ 'its person' => sub { $db->do('update portal.person
        set disabled_at = now() where id = ?', $_[0]) } ],
    [ 'its membership' => sub { $db->do('update portal.membership
        set ended_at = now() where person_id = ?', $_[0]) } ],
    [ 'its document' => sub { $db->do('update portal.document
        set withdrawn_at = now() where id = ?', $big->{id}) } ])
{
    my ($name, $end) = @$case;
    my $person = $db->person(email => 'down-' . ++$n{down} . '@alpha.example',
        clients => { alpha => 'owner' });
    my $s = $t->session_for($person);

    for my $c (each_worker($s)) {
        is($c->get("documents/$big->{id}/file", headers =>
            { Range => 'bytes=0-0' })->status, 206, 'it may be downloaded');
    }

    my @on = each_worker($s);
    start_download($_, "documents/$big->{id}/file") for @on;

    # it goes on while nothing happens
    my ($n, $ended) = read_more($on[0], 8_000_000);
    ok($n >= 8_000_000 && !$ended, "$name: a download goes on");

    $end->($person, $s);
    sleep 2 * $slow;

    # what the kernel had taken before still comes, and no more
    for my $c (@on) {
        ($n, $ended) = read_more($c, 60_000_000, 10);
        ok($ended && $n < 16_000_000, "$name ends: it is cut, with $n bytes "
            . 'on the way');
    }
}

$db->do('update portal.document set withdrawn_at = null where id = ?',
    $big->{id});

# another's end that falls on the same counter is no end of this one:
# PostgreSQL is asked, and it goes on

{
    my $s = $t->session_for('owner');
    my $id = $db->value('select id from portal.session where token_hash = ?',
        \$t->{keys}->hash($s));
    my $like = $t->session_for('bob', id => same_counter($id));
    my @on = each_worker($s);

    start_download($_, "documents/$big->{id}/file") for @on;

    is(cost(sub {
        $db->do('delete from portal.session where token_hash = ?',
            \$t->{keys}->hash($like));
        sleep 2 * $slow;
    }), 'still_granted: ' . @on, 'a session with the same counter ends');

    for my $c (@on) {
        my ($n, $ended) = read_more($c, 20_000_000, 10);
        ok($n >= 20_000_000 && !$ended, 'a download goes on');
    }

    is(cost(sub {
        $db->do('delete from portal.session where id = ?', $id);
        sleep 2 * $slow;
    }), '', 'its own session ends: nobody is asked');

    for my $c (@on) {
        my ($n, $ended) = read_more($c, 60_000_000, 10);
        ok($ended && $n < 16_000_000, "it is cut, with $n bytes on the way");
    }
}
ok($c->get("documents/$big->{id}/file")->body
    eq "0123456789abcdef" x 3276800, 'one that is not, is whole');

# T70: an answer that was true when it was given, and comes late

sub late {
    my ($name, $args, $pass) = @_;
    my $result = $db->value('select pg_get_function_result(p.oid) from pg_proc
        p where proname = ? and pronamespace = \'portal\'::regnamespace',
        $name);
    $db->do("alter function portal.$name rename to ${name}_true");
    $db->do("create function portal.$name($args) returns $result
        language plpgsql security definer set search_path = portal, pg_temp
        as \$\$ begin return query select * from portal.${name}_true($pass);
        perform pg_sleep(1); end \$\$");
    $db->do("alter function portal.$name owner to portal_gate");
    $db->do("grant execute on function portal.$name to portal_web");
    return;
}

sub in_time {
    my ($name) = @_;
    $db->do("drop function portal.$name");
    $db->do("alter function portal.${name}_true rename to $name");
    return;
}

{
    my $s = $t->session_for('owner');
    my $id = document('alpha');
    my ($c, $d) = each_worker($s);
    $_->get($file) for $c, $d;

    late('file_grant', 'a bytea, b text, c uuid, d text, e text, f text',
        'a, b, c, d, e, f');
    $c->send($c->bytes('GET', "documents/$id/file"));
    sleep 0.4;
    $db->do('update portal.document set withdrawn_at = now() where id = ?',
        $id);
    my $r = $c->recv('GET');
    ok($r->status =~ /^(?:200|404)$/, 'an answer of before a withdrawal comes '
        . 'after it: ' . $r->status);
    in_time('file_grant');
    is($_->get("documents/$id/file")->status, 404, '… is not remembered')
        for $c, $d;

    # a session's: the page for strangers knows by the zone alone
    $s = $t->session_for('owner');
    ($c, $d) = each_worker($s);
    late('session', 'a bytea, b text', 'a, b');
    $c->send($c->bytes('GET', 'sign-in'));
    sleep 0.4;
    $db->do('delete from portal.session where token_hash = ?',
        \$t->{keys}->hash($s));
    $r = $c->recv('GET');
    in_time('session');
    is($_->get('sign-in')->status, 200, 'a session\'s neither')
        for $c, $d;
    is($c->get('documents')->status, 303, '… for pages');
}

# what is notified

ok(warm($c, $file), 'a download is remembered');
$db->do(q{notify portal, 'nonsense'});
sleep 0.3;
is(cost(sub { $c->get($file) }), 'file_grant: 1 session: 1',
    'what cannot be read may be about anything: all is asked again');
is(cost(sub { $c->get($file) }), '', '… once');

for my $payload ('', 'session:', 'session:x', "object:$document->{id}",
    'session:' . '0' x 36, 'x' x 7000)
{
    $db->do("notify portal, '$payload'");
    sleep 0.2;
    is(cost(sub { $c->get($file) }), 'file_grant: 1 session: 1',
        'so is "' . substr($payload, 0, 30) . '"');
}

my $own = $db->value('select id from portal.session where token_hash = ?',
    \$t->{keys}->hash($token));
$db->do("notify other, 'session:$own'");
$db->do(q{notify "Portal", 'nonsense'});
$db->do('notify portal, ' . $db->{dbh}->quote('session:'
    . $db->value('select gen_random_uuid()')));
sleep 0.3;
is(cost(sub { $c->get($file) }), '', 'another channel, another session: '
    . 'nothing');
$db->do("notify portal, 'session:$own'");
sleep 0.3;
is(cost(sub { $c->get($file) }), 'file_grant: 1 session: 1',
    'its own: asked again');

# T71: the listener does not answer, or is gone.  What was taken away while
# nobody listened is refused two seconds later at most, and what is good is
# answered all the time.

sub gap {
    my ($name, $break, $mend) = @_;
    my $s = $t->session_for('owner');
    my @on = each_worker($s);
    my $good = $t->client;
    $good->set_cookie('', $t->session_for('owner'));

    warm($_, $file) for @on, $good;
    $break->();
    $db->do('delete from portal.session where token_hash = ?',
        \$t->{keys}->hash($s));
    my $from = time;
    my ($last, @faults) = (0);

    while (time - $from < 4 * $slow) {
        for my $c (@on) {
            $last = time - $from if $c->get($file)->status == 200;
        }

        my $status = $good->get($file)->status;
        push @faults, "others get $status" if $status != 200 && !@faults;
        sleep 0.05;
    }

    $mend->() if $mend;
    push @faults, sprintf 'still good after %.2f s', $last
        if $last > 2.1 * $slow;
    ok($t->wait_for(sub { listener() }, 5), "$name: somebody listens again");
    sleep 0.7;
    push @faults, 'good again' if grep { $_->get($file)->status == 200 } @on;
    push @faults, 'nothing is remembered' if !warm($good, $file);
    is(join(', ', @faults), '', "$name: no yes from before, later than 2 s");
    return;
}

my $stopped;

gap('silent listener', sub { kill STOP => $stopped = listener() },
    sub { kill CONT => $stopped });
gap('listener\'s connection ends',
    sub { $db->do('select pg_terminate_backend(?)', listener()) });

# … a download that was under way meanwhile has lost its right like any other

{
    my $s = $t->session_for('owner');
    my ($c) = each_worker($s);
    start_download($c, "documents/$big->{id}/file");
    $db->do('select pg_terminate_backend(?)', listener());
    $db->do('delete from portal.session where token_hash = ?',
        \$t->{keys}->hash($s));
    $t->wait_for(sub { listener() }, 5);
    sleep 3 * $slow;

    my ($n, $ended) = read_more($c, 60_000_000, 10);
    ok($ended && $n < 16_000_000, 'a download under way in the gap: it is '
        . "cut, with $n bytes on the way");
}

# PostgreSQL stops; a session ends while it is down; and it starts

{
    my $s = $t->session_for('owner');
    my @on = each_worker($s);
    my $good = $t->client;
    $good->set_cookie('', my $other = $t->session_for('owner'));
    warm($_, $file) for @on, $good;

    pg(stop => '-m', 'fast');
    my $from = time;
    my %seen;

    while (time - $from < 3 * $slow) {
        my $status = $good->get($file)->status;
        $seen{$status} = time - $from;
        sleep 0.05;
    }

    ok(($seen{200} // 0) <= 2.1 * $slow, sprintf 'without PostgreSQL what is '
        . 'remembered is good for 2 s at most: %.2f', $seen{200} // 0);
    is(join(' ', grep { !/^(?:200|503)$/ } sort keys %seen), '',
        '… then it is unavailable, no less');

    my $hash = unpack 'H*', $t->{keys}->hash($s);
    single("delete from portal.session where token_hash = '\\x$hash'");
    pg(start => '-w', '-l', "$t->{dir}/db/log/postgresql.log");
    $from = time;
    delete $t->{dbs}{portal};
    $db = $t->db;

    my $wrong = 0;
    my $good_at;

    while (time - $from < 4 * $slow) {
        $wrong++ for grep { $_->get($file)->status == 200 } @on;
        $good_at //= time - $from if $good->get($file)->status == 200;
        sleep 0.05;
    }

    is($wrong, 0, 'what was taken away meanwhile is never good again');
    ok(defined $good_at && $good_at <= 2 * $slow,
        sprintf 'the others are, after %.2f s', $good_at // -1);
    ok($t->wait_for(sub { listener() }, 5), 'somebody listens');
    ok(warm($good, $file), '… and it is remembered');
}

sub pg {
    my ($command, @args) = @_;
    my ($bin) = reverse sort glob '/usr/lib/postgresql/*/bin';
    as_postgres("$bin/pg_ctl", '-D', "$t->{dir}/db/pg", '-s', $command, @args);
    return;
}

# a statement while no server runs
sub single {
    my ($sql) = @_;
    my ($bin) = reverse sort glob '/usr/lib/postgresql/*/bin';
    $t->write('single.sql', "$sql\n");
    as_postgres('sh', '-c', "exec $bin/postgres --single -D $t->{dir}/db/pg"
        . " portal <$t->{dir}/single.sql");
    return;
}

sub as_postgres {
    my (@command) = @_;
    my @as = $> == 0 ? qw(setpriv --reuid=postgres --regid=postgres
        --init-groups --) : ();
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        chdir '/';
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$t->{dir}/pg_ctl.log";
        open STDERR, '>&', \*STDOUT;
        exec @as, @command or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    is($?, 0, "$command[0] " . join ' ', grep { /^(?:stop|start)$/ } @command);
    return;
}

# the listener's worker is killed: another takes over

$t->allow(qr/exited on signal 9/);

{
    my $s = $t->session_for('owner');
    my $c = $t->client;
    $c->set_cookie('', $s);
    warm($c, $file);
    my $before = listener();

    for my $pid ($t->workers) {
        kill KILL => $pid;
        my $from = time;
        my $was = !$t->wait_for(sub { (listener() // 0) != $before }, 0.5)
            ? 0 : 1;
        next if !$was;

        my $next = $t->wait_for(sub {
            my $now = listener();
            return $now && $now != $before }, 4 * $slow);
        my $took = time - $from;
        ok($next && $took <= 3 * $slow,
            sprintf 'another listens after %.2f s', $took);
        last;
    }

    $t->wait_for(sub { $t->workers == 2 }, 5);
    is(scalar $t->workers, 2, 'two workers again');
    is($c->get($file)->status, 200, 'nobody is signed out');
    ok(warm($c, $file), 'the zone is used');

    my @on = each_worker($s);
    $db->do('delete from portal.session where token_hash = ?',
        \$t->{keys}->hash($s));
    ok($t->wait_for(sub { $_->get($file)->status == 303 }, 1 * $slow),
        'and what ends is heard of') for @on;
}

# reload: sessions and bans stay; another size: cold, and nobody is signed out

{
    my $c = $t->client;
    $c->set_cookie('', $t->session_for('owner'));
    warm($c, $file);

    # a network that is banned is an entry that no listener touches
    my $bad = $t->client(from => '127.0.0.77');
    my $banned = sub {
        my $r = $bad->sign_in('owner', 'wrong');
        return $r->status == 429;
    };

    $bad->sign_in("nobody$_\@alpha.example", 'wrong') for 1 .. 20;
    ok($banned->(), 'a network is banned');

    ok($t->reload, 'reload');
    is($c->get($file)->status, 200, 'a session stays');
    ok($banned->(), 'a ban stays');
    ok($t->wait_for(sub { $t->workers == 2 }, 5), 'the old workers are gone');
    ok($t->wait_for(sub { listener() }, 3 * $slow), 'somebody listens');
    ok(warm($c, $file), 'a download is remembered');

    $t->write_conf(server => 'add_header X-Worker $pid always;',
        zone => '8m');
    ok($t->reload, 'a zone of another size');
    is($c->get($file)->status, 200, 'nobody is signed out');
    ok(!$banned->(), '… though it is empty');
    ok($t->wait_for(sub { listener() }, 3 * $slow), 'somebody listens');
    ok(warm($c, $file), 'a download is remembered');
}

$t->done;
