#!/usr/bin/perl

# Tests for the verifiers of passwords: PostgreSQL completes the check, hashes
# that are weaker than new ones are made again, parameters that nobody chose
# are refused, and a full queue says so (S-01 to S-04, S-12, S-39).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Digest::SHA qw(sha256);
use Time::HiRes qw(sleep);

my $t = Portal::Test->new(statements => 1, settings => { log_min_messages => 'error' });
my $db = $t->db;
my $zero = "\0" x 32;
my $net = 0;
my $n = 0;

# as portal_web: no sequence of calls opens a session without the output

my $web = $db->web;

for my $table (qw(credential session person attempt limiter document secret
    audit))
{
    ok(!eval { $web->do("select * from portal.$table"); 1 },
        "workers do not read $table");
}

ok(!eval { $web->do("create temporary table session (a int)"); 1 },
    'nor make a temporary table');

my $email = person(verifier => \sha256($zero));

is(finish(attempt($email), $email, $zero), 'ok', 'right output');

for (
    [ 'wrong output' => sub { finish(attempt($email), $email, "\1" x 32) } ],
    [ 'no output' => sub { finish(attempt($email), $email, undef) } ],
    [ 'empty output' => sub { finish(attempt($email), $email, '') } ],
    [ 'the verifier itself' => sub {
        finish(attempt($email), $email, sha256($zero)) } ],
    [ 'no attempt' => sub { finish(undef, $email, $zero) } ],
    [ 'made-up attempt' => sub {
        finish('00000000-0000-4000-8000-000000000000', $email, $zero) } ],
    [ 'no address' => sub { finish(attempt($email), undef, $zero) } ],
    [ 'empty address' => sub { finish(attempt($email), '', $zero) } ],
    [ 'another address' => sub {
        finish(attempt($email), $t->email('bob'), $zero) } ],
    [ 'attempt of another' => sub {
        finish(attempt($t->email('bob')), $email, $zero) } ],
    [ 'used twice' => sub { my $a = attempt($email);
        finish($a, $email, "\1" x 32); finish($a, $email, $zero) } ],
    [ 'used after success' => sub { my $a = attempt($email);
        finish($a, $email, $zero); finish($a, $email, $zero) } ],
    [ 'unknown address' => sub {
        finish(attempt('x@y.example'), 'x@y.example', $zero) } ],
    [ 'too late' => sub { my $a = attempt($email);
        $db->do("update portal.attempt set created_at = now()
            - interval '121 seconds'"); finish($a, $email, $zero) } ],
    [ 'disabled meanwhile' => sub { my $e = person(verifier =>
        \sha256($zero)); my $a = attempt($e);
        $db->do('update portal.person set disabled_at = now()
            where email = ?', $e); finish($a, $e, $zero) } ],
    [ 'password changed meanwhile' => sub { my $e = person(verifier =>
        \sha256($zero)); my $a = attempt($e);
        $db->do('update portal.credential set verifier = sha256(verifier)');
        my $s = finish($a, $e, $zero);
        $db->do('update portal.credential set verifier = ?
            where length(salt) = 16', \sha256($zero)); $s } ],
) {
    my ($what, $code) = @$_;
    $db->do('delete from portal.limiter');
    is($code->(), 'refused', $what);
}

$db->do('delete from portal.limiter');
is(finish(attempt($email), $email, $zero), 'ok', 'and again the right one');

# S-04: what is planted in a row costs nothing and tells nothing

restore_verifiers();
$t->run(password => 'memory=32m ops=3');

my %planted = (
    'four GiB' => { mem_kib => 4 * 1024 * 1024 },
    'a thousand passes' => { ops => 1000 },
    'above the ceiling' => { mem_kib => 256 * 1024 + 1 },
    'zero passes' => { ops => 0 }, 'no memory' => { mem_kib => 0 },
    'negative memory' => { mem_kib => -1 },
    'negative passes' => { ops => -1 },
    'most passes' => { ops => 2147483647 },
    'less memory than any' => { mem_kib => 1024 },
);

my $normal = network()->sign_in('nobody@x.example', 'x');

for my $what (sort keys %planted) {
    my $who = person(%{ $planted{$what} });
    my $r = network()->sign_in($who);

    is($r->status, 401, "planted: $what");
    ok(masked($r, $who) eq masked($normal, 'nobody@x.example'),
        'as any other');
}

my ($peak) = sort { $b <=> $a } map {
    $t->read("/proc/$_/status") =~ /VmHWM:\s+(\d+)/ } $t->workers;
cmp_ok($peak, '<', 200 * 1024, "no memory for it: $peak kB");

# weaker than new ones: made again at a success, and only then

my $weak = person();
is(network()->sign_in($weak, 'wrong')->status, 401, 'wrong password');
is(parameters($weak), '2 19456', 'the hash stays');

my $before = verifier($weak);
is(network()->sign_in($weak)->status, 303, 'right password');
ok($t->wait_for(sub { parameters($weak) eq '3 32768' }, 5), 'hashed again');
isnt(verifier($weak), $before, 'another verifier');
$before = verifier($weak);
is(network()->sign_in($weak)->status, 303, 'and again');
is(verifier($weak), $before, 'not twice');
is(network()->sign_in($weak, 'wrong')->status, 401, 'wrong password');

$t->stop;
$t->run(password => 'memory=19m ops=2');
is(network()->sign_in($weak)->status, 303, 'stronger than new ones');
is(parameters($weak), '3 32768', 'stays');

# two of the same password: other salts

my ($one, $two) = map { person(ops => 2, mem_kib => 19456) } 1 .. 2;
$t->stop;
$t->run(password => 'memory=20m ops=2');
network()->sign_in($_) for $one, $two;
ok($t->wait_for(sub { parameters($_) eq '2 20480' }, 5), 'hashed again')
    for $one, $two;
isnt(verifier($one), verifier($two), 'a salt of its own for each');

# a failure costs the hash that is stored and no other; a success is answered
# before the password is hashed anew

$t->stop;
$t->run(password => 'memory=256m ops=10', workers => 1);

my $slow = person();
my $cpu = cpu();
is(network()->sign_in($slow, 'wrong')->status, 401, 'wrong password')
    for 1 .. 3;
cmp_ok(cpu() - $cpu, '<', 1, 'is not hashed anew');
is(parameters($slow), '2 19456', 'nor is it stored');

is(network()->sign_in($slow)->status, 303, 'right password');
is(parameters($slow), '2 19456', 'answered at once');
ok($t->wait_for(sub { parameters($slow) eq '10 262144' }, 20),
    'and then hashed anew');
is(network()->sign_in($slow)->status, 303, 'which is the same password');

# S-02: a full queue is 503 at once, for anybody

$t->stop;
$t->run(password => 'memory=64m ops=10 threads=1 queue=1', workers => 1);

my %retry;

$db->do('delete from portal.limiter');

for my $who ('nobody@x.example', $t->email('manager')) {
    my @clients = map { network() } 1 .. 6;
    my %statuses;

    $_->connect for @clients;
    $_->send($_->bytes('POST', 'sign-in',
        type => 'application/x-www-form-urlencoded',
        body => Portal::Client::form([ csrf => $_->csrf, email => $who,
            password => 'wrong' ]))) for @clients;

    for (@clients) {
        my $r = $_->recv('POST');
        $statuses{ $r->status }++;
        $retry{ $r->header('Retry-After') }++ if $r->status == 503;
    }

    is(join(' ', sort keys %statuses), '401 503', "queue full: $who");
    is($db->value(q{select failures from portal.limiter
        where key = portal.keyed('attempt', ?)}, "account:$who"),
        $statuses{401}, 'which counts for nobody as an attempt');
}

is_deeply([ keys %retry ], [1], 'Retry-After');

# nor for a network, here or in PostgreSQL

my @office = map { $t->client(from => '127.5.0.1') } 1 .. 60;
my %office;

$_->connect for @office;
$_->send($_->bytes('POST', 'sign-in',
    type => 'application/x-www-form-urlencoded',
    body => Portal::Client::form([ csrf => $_->csrf,
        email => 'office' . ++$n . '@x.example', password => 'wrong' ])))
    for @office;
$office{ $_->recv('POST')->status }++ for @office;

cmp_ok($office{503}, '>', 40, 'more than forty that found the queue full');
is($office{401} + $office{503}, 60, 'and none that was banned');
is($office[0]->sign_in('bob')->status, 303, 'nor afterwards');
is($t->client(as => 'owner')->get('documents')->status, 200,
    'pages are answered meanwhile');

# S-03: who goes away keeps the slot until the hash is made

for (1 .. 20) {
    my $c = network();
    $c->connect->send($c->bytes('POST', 'sign-in',
        type => 'application/x-www-form-urlencoded',
        body => Portal::Client::form([ csrf => $c->csrf,
            email => "gone$_\@x.example", password => 'wrong' ])));
    sleep 0.005 * ($_ % 4);
    $c->abort;
}

my ($pid) = $t->workers;
is($t->client(as => 'owner')->get('documents')->status, 200, 'alive');
is(join(' ', $t->workers), $pid, 'the same worker');

# S-14: and has made an attempt, here too: after forty of a network, which is
# what PostgreSQL takes, the next ones cost no query

$t->stop;
$db->do('delete from portal.limiter');
$t->run(password => 'memory=19m ops=10 queue=300', workers => 1);

cmp_ok(abandoned(120), '<=', 40, 'of 120 that nobody waits for, forty');
my $banned = $t->client(from => '127.6.0.1')->sign_in('bob');
is($banned->status, 429, 'then the network is banned');
like($banned->header('Retry-After'), qr/^(?:[5-9]\d\d|600)$/,
    'Retry-After');
is(abandoned(20), 0, 'which costs no query');
is($t->client(from => '127.6.0.2')->sign_in('bob')->status, 303,
    'and no other network');

$t->done;


sub network {
    return $t->client(from => '127.1.0.' . ++$net);
}


sub person {
    my %columns = @_;
    my $who = 'h' . ++$n . '@alpha.example';
    my $id = $db->person(email => $who, password => 0,
        clients => { alpha => 'owner' });

    $db->credential($id, %columns);
    return $who;
}


sub attempt {
    my ($who) = @_;
    my $row = $web->row(q{select * from portal.sign_in_start(?, ?, null, 2,
        19456, 'n')}, $who, sprintf '%032x', ++$net);
    return $row->{attempt};
}


sub finish {
    my ($attempt, $who, $output) = @_;
    my $row = $web->row(q{select * from portal.sign_in_finish(?, ?, ?, ?,
        null, null, '127.0.0.1', 'perl', '{600,600}', '{3600,3600}', 'n')},
        $attempt, $who,
        defined $output ? \$output : undef, \Portal::Token::random(32));
    return $row->{status};
}


sub parameters {
    my ($who) = @_;
    my $row = $db->row(q{select ops, mem_kib from portal.credential c
        join portal.person p on p.id = c.person_id where p.email = ?}, $who);
    return "$row->{ops} $row->{mem_kib}";
}


# Sign-ins whose client is gone before their hash can be made: how many of
# them PostgreSQL heard of.
sub abandoned {
    my ($many) = @_;
    my $before = $db->calls->{sign_in_start} // 0;

    for (1 .. $many) {
        my $c = $t->client(from => '127.6.0.1');
        $c->connect->send($c->bytes('POST', 'sign-in',
            type => 'application/x-www-form-urlencoded',
            body => Portal::Client::form([ csrf => $c->csrf,
                email => "gone$_\@x.example", password => 'wrong' ])));
        sleep 0.01;
        $c->abort;
    }

    sleep 0.5;
    return ($db->calls->{sign_in_start} // 0) - $before;
}


# What the workers have computed so far, seconds.
sub cpu {
    my $ticks = 0;

    for ($t->workers) {
        my @stat = split ' ', $t->read("/proc/$_/stat") =~ s/^.*\) //r;
        $ticks += $stat[11] + $stat[12];
    }

    return $ticks / 100;
}


sub verifier {
    my ($who) = @_;
    return $db->value(q{select encode(verifier, 'hex')
        from portal.credential c join portal.person p on p.id = c.person_id
        where p.email = ?}, $who);
}


# The seed's own, after the test above has changed them all.
sub restore_verifiers {
    $db->do('update portal.credential set verifier = ?',
        \pack('H*', $db->{verifier}[3]));
    $db->do('delete from portal.limiter');
    return;
}


sub masked {
    my ($r, $who) = @_;
    return $r->masked =~ s/\Q$who\E/EMAIL/gr
        =~ s/^Content-Length: .*\r\n//mr;
}
