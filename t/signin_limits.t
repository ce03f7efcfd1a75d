#!/usr/bin/perl

# Tests for the limits of sign-in: by account, by browser, by network, and
# of attempts that are made at once (S-12, S-13, S-14, S-15).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $db = $t->db;

$db->person(email => "p$_\@alpha.example", clients => { alpha => 'owner' })
    for 1 .. 9;

$t->run(password => 'memory=19m ops=2 queue=300');

my $net = 0;
my ($r, $c);

# five are free, then nothing is evaluated, not even the right password

is(network()->sign_in('p1@alpha.example', "wrong $_")->status, 401,
    "wrong password $_") for 1 .. 5;
is(network()->sign_in('p1@alpha.example')->status, 401,
    'the right one is refused');
is(failures('p1'), 5, 'failures are counted');

# the wait grows, and the right password ends it

for my $minutes (2, 4, 8, 15, 15) {
    pass_time('p1');
    is(network()->sign_in('p1@alpha.example', 'wrong')->status, 401,
        'wrong again');
    is(network()->sign_in('p1@alpha.example')->status, 401, 'refused');
    is(wait_of('p1'), $minutes, "for $minutes minutes");
}

$t->stop;
$t->start;
is(network()->sign_in('p1@alpha.example')->status, 401,
    'refused after a restart too');

pass_time('p1');
is(network()->sign_in('p1@alpha.example')->status, 303, 'and then not');
is(failures('p1'), 0, 'from the beginning');
is(network()->sign_in('p1@alpha.example', 'wrong')->status, 401, 'wrong');
is(network()->sign_in('p1@alpha.example')->status, 303, 'right');

# 25 are evaluated a day

set_limiter('p2', failures => 0, counted => 25);
is(network()->sign_in('p2@alpha.example')->status, 401, '25 in a day');
$db->do("update portal.limiter set since = now() - interval '25 hours'");
is(network()->sign_in('p2@alpha.example')->status, 303, 'the next day');

# 100 in a row: nothing any more

set_limiter('p2', failures => 100, counted => 0);
$db->do("update portal.limiter set since = now() - interval '30 days'");
is(network()->sign_in('p2@alpha.example')->status, 401, '100 in a row');

# an address that nobody has is counted all the same

network()->sign_in('ghost@alpha.example', 'x') for 1 .. 2;
is(failures('ghost'), 2, 'unknown address');

# S-13: a browser that was signed in before is not locked out by others

my $own = network();
is($own->sign_in('p3@alpha.example')->status, 303, 'own browser');
$own->disconnect->set_cookie('', undef);
network()->sign_in('p3@alpha.example', 'wrong') for 1 .. 6;
is(network()->sign_in('p3@alpha.example')->status, 401, 'locked by others');
is($own->sign_in('p3@alpha.example')->status, 303, 'but not the own browser');

# of the same person only, and no browser that was made up

is(network()->set_cookie('device', $own->cookie('device'))
    ->sign_in('p3@alpha.example')->status, 303, 'its cookie elsewhere');
is(network()->set_cookie('device', $t->{keys}->token)
    ->sign_in('p3@alpha.example')->status, 401, 'unknown browser');
is(network()->set_cookie('device', $t->{keys}->token(forged => 1))
    ->sign_in('p3@alpha.example')->status, 401, 'forged browser');

my $other = network();
$other->sign_in('p4@alpha.example');
is(network()->set_cookie('device', $other->cookie('device'))
    ->sign_in('p3@alpha.example')->status, 401, 'browser of somebody else');

# ten of its own

$own->set_cookie('', undef);
for (1 .. 10) {
    $own->disconnect->{from} = '127.1.1.' . $_;
    is($own->sign_in('p3@alpha.example', 'wrong')->status, 401,
        "own browser, wrong $_");
}

$own->disconnect->{from} = '127.1.1.11';
is($own->sign_in('p3@alpha.example')->status, 401, 'locked as well');

$db->do("update portal.device set created_at = now() - interval '91 days'");
is($db->value(q{select count(*) from portal.device d where d.created_at
    > now() - interval '90 days'}), 0, 'browsers are forgotten');

# S-12: fifty at once, and the right one among them

my @clients = map { network(1 + int $_ / 10) } 1 .. 50;
$_->connect for @clients;
$_->send($_->bytes('POST', 'sign-in', body => form($_, 'p5', 'wrong'),
    type => 'application/x-www-form-urlencoded')) for @clients;

my $right = network();
$right->connect->send($right->bytes('POST', 'sign-in',
    body => form($right, 'p5', $t->{password}),
    type => 'application/x-www-form-urlencoded'));

my %statuses;
$statuses{ $_->recv('POST')->status }++ for @clients, $right;
is_deeply(\%statuses, { 401 => 51 }, 'all refused');
is(failures('p5'), 5, 'five were evaluated');
is($db->value(q{select count(*) from portal.session s
    join portal.person p on p.id = s.person_id
    where p.email = 'p5@alpha.example'}), 0, 'no session');

# S-14: twenty failures of a network, whoever they are about

$t->stop;
$db->do('delete from portal.limiter');
$t->start;

@clients = map { $t->client(from => '127.3.0.1') } 1 .. 20;
$_->connect for @clients;

for my $i (0 .. 19) {
    $clients[$i]->send($clients[$i]->bytes('POST', 'sign-in',
        body => form($clients[$i], "x$i", 'wrong'),
        type => 'application/x-www-form-urlencoded'));
}

$_->recv('POST') for @clients;

$c = $t->client(from => '127.3.0.1');
$r = $c->sign_in('p6@alpha.example');
is($r->status, 429, 'twenty failures: banned');
like($r->header('Retry-After'), qr/^(?:[5-9]\d\d|600)$/, 'Retry-After');
like($r->body, qr/<main.*429/s, 'in our page');
is($c->sign_in('p6@alpha.example', undef, accept => 'json')->json->{status},
    429, 'as a problem');
is($c->get('sign-in')->status, 200, 'the page itself is shown');
is($t->client(from => '127.3.0.1', as => 'owner')->get('documents')->status,
    200, 'who is signed in is not banned');
is($t->client(from => '127.3.0.2')->sign_in('p6@alpha.example')->status, 303,
    'nor another network');

$t->reload;
is($c->sign_in('p6@alpha.example')->status, 429, 'banned after a reload');

# tokens that pass the key's check and are nobody's count too

my $d = $t->client(from => '127.3.0.3');
$d->set_cookie('', $t->{keys}->token)->get('documents') for 1 .. 20;
$d->set_cookie('', undef);
is($d->sign_in('p6@alpha.example')->status, 429, 'guessed sessions');

$d = $t->client(from => '127.3.0.4');
$d->set_cookie('', $t->{keys}->token(forged => 1))->get('documents')
    for 1 .. 30;
$d->set_cookie('', undef);
is($d->sign_in('p6@alpha.example')->status, 303, 'forged ones do not');

# the database's own limit of a network, where the zone was lost

$db->do(q{insert into portal.limiter (key, counted)
    values (portal.keyed('attempt', 'network:' || ?), 40)},
    network_key($t));
$r = $t->client(from => '127.3.0.9')->sign_in('p7@alpha.example');
is($r->status, 429, 'forty attempts in PostgreSQL');
like($r->header('Retry-After'), qr/^(?:[5-9]\d\d|600)$/, 'Retry-After');

$t->done;


sub network {
    my ($n) = @_;
    return $t->client(from => $n ? "127.2.0.$n" : '127.1.0.' . ++$net);
}


sub form {
    my ($client, $name, $password) = @_;
    return Portal::Client::form([ csrf => $client->csrf,
        email => "$name\@alpha.example", password => $password ]);
}


sub limiter {
    my ($name, $column) = @_;
    return $db->value("select $column from portal.limiter
        where key = portal.keyed('attempt', ?)",
        "account:$name\@alpha.example");
}


sub failures { return limiter($_[0], 'failures') }


# Minutes from now, rounded up.
sub wait_of {
    return limiter($_[0], 'ceil(extract(epoch from until - now()) / 60)');
}


sub pass_time {
    my ($name) = @_;
    $db->do(q{update portal.limiter set until = now()
        where key = portal.keyed('attempt', ?)},
        "account:$name\@alpha.example");
    return;
}


sub set_limiter {
    my ($name, %columns) = @_;
    $db->do(q{insert into portal.limiter (key, failures, counted)
        values (portal.keyed('attempt', ?), ?, ?)
        on conflict (key) do update set failures = excluded.failures,
        counted = excluded.counted, until = null},
        "account:$name\@alpha.example", @columns{qw(failures counted)});
    return;
}


# What the worker calls 127.3.0.9: learned from an attempt of it.
sub network_key {
    my @rows = $db->rows(q{select encode(key, 'hex') as key
        from portal.limiter});
    my %before = map { $_->{key} => 1 } @rows;
    return Portal::Netkey();
}
