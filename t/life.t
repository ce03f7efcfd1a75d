#!/usr/bin/perl

# Tests for the life of nginx's processes with work in flight: reload, two of
# them, QUIT, TERM, a killed worker, a new binary and back, new logs, a zone
# of another size, no connection left (T36, T38 to T40, T43).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
my $db = $t->db;

$db->do(q{
    create function portal.slow(r json) returns json language plpgsql
    security definer as $$
    begin
      perform pg_sleep((r -> 'query' ->> 's')::float);
      return json_build_object('done', true);
    end $$});
$db->do(q{select portal.page('slow', access => 'any', client => 'portal.slow',
    staff => 'portal.slow', needs_client => false, owner => 'postgres')});

my %conf = (workers => 2, portal => 'limit_rate 600k;', pages =>
    'portal_page GET /slow slow access=any template=-;');
my $big = join '', map { "line $_ of a document\n" } 1 .. 60_000;
my $d = $db->document(client => 'alpha', content => $big, name => 'big.txt');
my $who = $t->session_for('owner');

sub client {
    return $t->client(timeout => 15)->set_cookie('', $who);
}

sub workers {
    my ($n) = @_;
    my @pids;
    $t->wait_for(sub { @pids = $t->workers; @pids == ($n // 2) }, 5);
    return @pids;
}

# Requests of each kind, sent and not yet answered; an upload half sent.
sub work {
    my %work = (slow => [ map { client() } 1 .. 4 ], download => [ client() ],
        sign_in => [ map { $t->client(timeout => 15) } 1 .. 3 ],
        upload => [ client() ], idle => [ client() ]);

    # a sign-in whose worker was killed has failed, as far as anybody knows
    $db->do('delete from portal.limiter');
    $_->connect for map { @$_ } values %work;
    $_->send($_->bytes('GET', 'slow?s=0.9', accept => 'json'))
        for @{ $work{slow} };
    $_->send($_->bytes('GET', "documents/$d->{id}/file"))
        for @{ $work{download} };
    $_->send($_->bytes('POST', 'sign-in', type =>
        'application/x-www-form-urlencoded', body => Portal::Client::form({
        csrf => $_->csrf, email => $t->email('bob'),
        password => $t->{password} }))) for @{ $work{sign_in} };

    my ($up) = @{ $work{upload} };
    my $bytes = $up->bytes('POST', 'documents', type => 'text/plain',
        body => "u\n" x 50_000, headers => { 'X-Portal-Csrf' => $up->csrf,
        'X-Portal-File' => 'up.txt' });
    $up->send(substr $bytes, 0, 60_000);
    $work{rest} = substr $bytes, 60_000;
    ($work{idle}[0])->send($work{idle}[0]->bytes('GET', 'documents'));
    $work{idle}[0]->recv('GET');
    sleep 0.15;
    return \%work;
}

sub finished {
    my ($name, $work) = @_;

    $work->{upload}[0]->send($work->{rest});
    is($work->{upload}[0]->recv('POST')->status, 303, "$name: upload");
    is(join(' ', map { $_->recv('GET')->status } @{ $work->{slow} }),
        '200 200 200 200', "$name: queries");
    is(join(' ', map { $_->recv('POST')->status } @{ $work->{sign_in} }),
        '303 303 303', "$name: sign-ins");
    ok($work->{download}[0]->recv('GET')->body eq $big, "$name: download");
    $_->disconnect for map { ref $_ eq 'ARRAY' ? @$_ : () } values %$work;
}

# Whoever should wait for an orphan may be late.
sub alive {
    my ($pid) = @_;
    return $t->read("/proc/$pid/stat") =~ /\) [^ZX]/;
}

sub gone {
    my ($name, $seconds, @pids) = @_;
    ok($t->wait_for(sub { !grep { alive($_) } @pids }, $seconds),
        "$name: old workers are gone");
}

# A daemon: nginx upgrades itself only if it is not its parent's child.
sub start {
    my $pid = fork // die "fork: $!";
    $t->_exec('nginx.conf', '-e', "$t->{dir}/error.log") if $pid == 0;
    waitpid $pid, 0;
    # a daemon writes its number when its parent is gone already
    $t->{master} = $t->wait_for(sub { $t->master }, 5)
        or die 'nginx does not start';
    return workers();
}

sub ended {
    my ($pid, $seconds) = @_;
    my $ended = $t->wait_for(sub { !alive($pid) }, $seconds);
    delete $t->{master};
    unlink "$t->{dir}/nginx.pid";
    return $ended;
}

# Where it ends at once, nginx does not give back what it has of its own.
if ($ENV{PORTAL_ASAN}) {
    $ENV{LSAN_OPTIONS} = ($ENV{LSAN_OPTIONS} // '') . ':suppressions='
        . $t->write('lsan.supp', "leak:ngx_event_process_init\n"
            . "leak:ngx_regex_malloc\n");
    chmod 0644, "$t->{dir}/lsan.supp";
}

# what a worker that was killed two days ago has left in tmp/, and what one
# that lives may still be writing

$t->write("files/tmp/$_", 'x') for qw(0000000007 part.abcdef 0000000008);
utime time - 2 * 86400, time - 2 * 86400, map { "$t->{dir}/files/tmp/$_" }
    qw(0000000007 part.abcdef);

$t->write_conf(%conf);
my @old = start();

ok($t->wait_for(sub { $t->temp_files == 1 }, 3), 'old leftovers go');
like(join(' ', $t->temp_files), qr/0000000008$/, 'a young one stays');
ok($t->wait_log(qr/\[notice\].* 2 files of uploads that never ended/, 1),
    'and it is said');
unlink $t->temp_files;

# reload; two in a row

for my $n (1, 2) {
    my $work = work();

    for (1 .. $n) {
        kill HUP => $t->master;
        sleep 0.2;
    }

    my $start = time;
    is(client()->get('documents')->status, 200, "reload $n: new workers");
    cmp_ok(time - $start, '<', 1, "reload $n: at once");
    finished("reload $n", $work);
    gone("reload $n", 6, @old);
    @old = workers();
}

# what old workers know of the use of a session is told before they go

my $used = $t->session_for('owner', last_seen => $db->value(
    q{select now() - interval '5 minutes'}));
$t->client->set_cookie('', $used)->get('documents');
ok($t->reload, 'reload after a use');
ok($t->wait_for(sub { $db->value(q{select last_seen > now() - interval
    '1 minute' from portal.session where token_hash = ?},
    \$t->{keys}->hash($used)) }, 3), 'PostgreSQL has heard of it');
@old = workers();

# a zone of another size: nobody is signed out; other shares: refused

client()->get('documents');
$t->write_conf(%conf, zone => '8m');
ok($t->reload, 'a larger zone');
is(client()->get('documents')->status, 200, 'nobody is signed out by it');
@old = workers();
$t->write_conf(%conf, zone => '8m sessions=20 grants=20');
$t->allow(qr/\[emerg\].*had other shares before/);
kill HUP => $t->master;
ok($t->wait_log(qr/portal zone "portal_main" had other shares before/, 3),
    'other shares of the same size: refused, and said');
is(join(' ', workers()), "@old", 'and the old workers serve');
is(client()->get('documents')->status, 200, 'a page of theirs');
$t->write_conf(%conf, zone => '8m');

# a mistake in the configuration: the old one goes on

$t->write('nginx.conf', $t->conf(%conf, portal => 'portal_nonsense on;'));
$t->allow(qr/\[emerg\].*unknown directive "portal_nonsense"/);
kill HUP => $t->master;
ok($t->wait_log(qr/portal_nonsense/, 3), 'a mistake is said');
is(join(' ', workers()), "@old", 'and the old workers serve');
$t->write_conf(%conf, zone => '8m');

# a killed worker: only what it had in flight is lost

$t->allow(qr/exited on signal 9/);
my $work = work();
my $start = time;
kill KILL => $old[0];
ok($t->wait_for(sub { grep({ $_ != $old[0] } $t->workers) == 2 }, 3),
    'a killed worker has a follower');
cmp_ok(time - $start, '<', 1, 'soon');

for (1 .. 20) {
    my $r = eval { client()->get('documents') };
    is($r ? $r->status : $@, 200, 'served') if !$r || $r->status != 200;
}

my @answers = map { my $c = $_; eval { $c->recv('GET') } } @{ $work->{slow} };
is(join(' ', grep { $_ != 200 } map { $_->status } grep { $_ } @answers), '',
    'those of the other worker are whole');
$_->disconnect for map { ref $_ eq 'ARRAY' ? @$_ : () } values %$work;

# logs: new files are begun

rename "$t->{dir}/$_", "$t->{dir}/$_.1" for qw(error.log access.log);
kill USR1 => $t->master;
ok($t->wait_for(sub { -e "$t->{dir}/access.log" }, 3), 'new logs');
client()->get('documents');
ok($t->wait_for(sub { grep { m{^200 GET /espace-client/documents} }
    $t->access_log }, 2), 'which are written to');

# a new binary beside the old one, and back

my ($master, @all) = ($t->master, workers());
kill USR2 => $master;
ok($t->wait_for(sub { -e "$t->{dir}/nginx.pid.oldbin" && $t->master
    && $t->master != $master }, 5), 'a new binary');
my $new = $t->master;
workers();
is(client()->get('documents')->status, 200, 'with both, signed in')
    for 1 .. 5;

kill WINCH => $master;
gone('new binary', 6, @all);
is(scalar(workers()), 2, 'two workers');
is(client()->get('documents')->status, 200, 'with the new one, signed in')
    for 1 .. 5;

kill HUP => $master;
ok($t->wait_for(sub { $t->read("/proc/$master/task/$master/children") =~
    tr/ // > 1 }, 3), 'the old one begins again');
kill QUIT => $new;
ok($t->wait_for(sub { ($t->master // 0) == $master }, 6), 'and goes on alone');
is(client()->get('documents')->status, 200, 'signed in') for 1 .. 5;

# no connection left for anybody, and then again

$t->write_conf(%conf, zone => '8m', workers => 1, connections => 40);
@old = $t->workers;
kill HUP => $t->master;
gone('few connections', 6, @old);
$t->allow(qr/\[alert\].*worker_connections are not enough/);
is(client()->get('documents')->status, 200, 'while there are some');

my @held = map { my $c = client(); eval { $c->connect; $c->send("GET ") };
    $c } 1 .. 60;
sleep 0.3;
my ($ok, $other) = (0, 0);

for (1 .. 5) {
    my $c = $t->client(timeout => 1)->set_cookie('', $who);
    my $r = eval { $c->get('documents') };
    $r && $r->status =~ /^(?:200|503)$/ ? $ok++ : $other++;
}

note("without connections: $ok answered, $other not");
$_->abort for @held;
ok($t->wait_for(sub { my $r = eval { client()->get('documents') };
    $r && $r->status == 200 }, 5), 'and when there are some again');

# QUIT: what is in flight is finished; TERM: at once

$t->write_conf(%conf, zone => '8m');
@old = $t->workers;
kill HUP => $t->master;
gone('two workers again', 6, @old);
workers();
$work = work();
$master = $t->master;
kill QUIT => $master;
finished('QUIT', $work);
ok(ended($master, 8), 'QUIT: ends');

start();
$work = work();
$master = $t->master;
$start = time;
kill TERM => $master;
ok(ended($master, 5), 'TERM: ends');
cmp_ok(time - $start, '<', 2.5, 'TERM: soon');
$_->disconnect for map { ref $_ eq 'ARRAY' ? @$_ : () } values %$work;

start();
is(client()->get('documents')->status, 200, 'started again, signed in');

$t->done;
