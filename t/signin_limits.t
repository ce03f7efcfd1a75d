#!/usr/bin/perl

# Tests for the limits of sign-in: by account, by browser, by network, and
# of attempts that are made at once (S-12, S-13, S-14, S-15).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new(statements => 1);
my $db = $t->db;

$db->person(email => "p$_\@alpha.example", clients => { alpha => 'owner' })
    for 1 .. 9;
$db->person(email => "w$_\@alpha.example", clients => { alpha => 'owner' })
    for 1 .. 30;

$t->run(password => 'memory=19m ops=2 queue=300');

my $net = 0;
my ($r, $c, $before);

# five are free, then nothing is evaluated, not even the right password

is_deeply(at_once(map { [ network(), 'p1', "wrong $_" ] } 1 .. 5),
    { 401 => 5 }, 'five wrong passwords');
is(network()->sign_in('p1@alpha.example')->status, 401,
    'the right one is refused');
is(failures('p1'), 5, 'failures are counted');

# the wait grows, and the right password ends it

for my $minutes (2, 4, 8, 15, 15) {
    pass_time('p1');
    is(network()->sign_in('p1@alpha.example', 'wrong')->status, 401,
        'wrong again');
    is(wait_of('p1'), $minutes, "refused for $minutes minutes");
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

# 100 in a row: nothing any more, for 90 days

set_limiter('p2', failures => 99, counted => 0);
is(network()->sign_in('p2@alpha.example', 'wrong')->status, 401,
    'the hundredth');
pass_time('p2');
is(network()->sign_in('p2@alpha.example')->status, 401, '100 in a row');
$db->do("update portal.limiter set since = since - interval '89 days'");
is(network()->sign_in('p2@alpha.example')->status, 401, '89 days later');
$db->do("update portal.limiter set since = since - interval '1 day 1 hour'");
is(network()->sign_in('p2@alpha.example')->status, 303, '90 days later');

# an address that nobody has is counted all the same

at_once(map { [ network(), 'ghost', 'x' ] } 1 .. 2);
is(failures('ghost'), 2, 'unknown address');

# S-13: a browser that was signed in before is not locked out by others

my $own = network();
is($own->sign_in('p3@alpha.example')->status, 303, 'own browser');
$own->disconnect->set_cookie('', undef);
at_once(map { [ network(), 'p3', 'wrong' ] } 1 .. 6);
is(network()->sign_in('p3@alpha.example')->status, 401, 'locked by others');
is($own->sign_in('p3@alpha.example')->status, 303, 'but not the own browser');

# of the same person only, and no browser that was made up

is(network()->set_cookie('device', $own->cookie('device'))
    ->sign_in('p3@alpha.example')->status, 303, 'its cookie elsewhere');

my $other = network();
$other->sign_in('p4@alpha.example');

is_deeply(at_once(map { [ network()->set_cookie('device', $_), 'p3',
    $t->{password} ] } $t->{keys}->token, $t->{keys}->token(forged => 1),
    $other->cookie('device')), { 401 => 3 },
    'an unknown one, a forged one, one of somebody else');

# ten of its own

my $device = $own->cookie('device');
is_deeply(at_once(map { [ network()->set_cookie('device', $device), 'p3',
    'wrong' ] } 1 .. 10), { 401 => 10 }, 'own browser, ten wrong ones');
is(network()->set_cookie('device', $device)->sign_in('p3@alpha.example')
    ->status, 401, 'locked as well');

$db->do("update portal.device set created_at = now() - interval '91 days'");
$db->do('delete from portal.limiter');
at_once(map { [ network(), 'p3', 'wrong' ] } 1 .. 5);
is(network()->set_cookie('device', $device)->sign_in('p3@alpha.example')
    ->status, 401, 'a browser is forgotten after 90 days');

# S-12: fifty at once, and the right one among them

is_deeply(at_once((map { [ network(1 + int $_ / 10), 'p5', 'wrong' ] }
    1 .. 50), [ network(), 'p5', $t->{password} ]), { 401 => 51 },
    'all are refused');
is(failures('p5'), 5, 'five were evaluated');
is($db->value(q{select count(*) from portal.session s
    join portal.person p on p.id = s.person_id
    where p.email = 'p5@alpha.example'}), 0, 'no session');

# S-14: twenty failures of a network, whoever they are about

$t->stop;
$db->do('delete from portal.limiter');
$t->start;

is_deeply(at_once(map { [ $t->client(from => '127.3.0.1'), "x$_", 'wrong' ] }
    1 .. 20), { 401 => 20 }, 'twenty failures');

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

# sessions that have ended are no failures: an office has many on a Monday,
# and each is asked about once

my $d = $t->client(from => '127.3.0.3');
$d->set_cookie('', $t->{keys}->token)->get('documents') for 1 .. 20;
$d->set_cookie('', undef);
is($d->sign_in('p6@alpha.example')->status, 303, 'ended sessions do not');

$d = $t->client(from => '127.3.0.4');
$d->set_cookie('', $t->{keys}->token(forged => 1))->get('documents')
    for 1 .. 30;
$d->set_cookie('', undef);
is($d->sign_in('p6@alpha.example')->status, 303, 'forged ones do not');

# those under way at the same time are not too many, nor those that succeed

is_deeply(at_once(map { [ $t->client(from => '127.3.0.6'), "w$_",
    $t->{password} ] } 1 .. 30), { 303 => 30 }, 'thirty at the same time')
    for 1, 2;

# an address, wherever it is tried from: what PostgreSQL has locked for long
# is refused here, in the same words

$before = starts();
my %said;

for (1 .. 5) {
    my @at = map { network() } 1 .. 5;
    my @r = map { $_->sign_in('p8@alpha.example', 'wrong') } @at;
    $said{ $_->masked }++ for @r;
}

is(starts() - $before, 20, 'twenty-five at one address: twenty');
is_deeply([ values %said ], [25], 'and the same answer');
is(network()->sign_in(' P8@Alpha.Example ')->status, 401,
    'the right one is refused');
is(starts() - $before, 20, 'however it is written');

my $known = network();
$known->sign_in('p4@alpha.example');
is($known->set_cookie('', undef)->sign_in('p8@alpha.example', 'wrong')
    ->status, 401, 'a browser that is known to somebody');
is(starts() - $before, 22, 'is for PostgreSQL to judge');

$t->stop;
$db->do('delete from portal.limiter');
$t->start;

is_deeply(at_once(map { [ network(), 'p8', 'wrong' ] } 1 .. 4),
    { 401 => 4 }, 'four wrong ones');
is(network()->sign_in('p8@alpha.example')->status, 303, 'the right one');
is_deeply(at_once(map { [ network(), 'p8', 'wrong' ] } 1 .. 4),
    { 401 => 4 }, 'four more') for 1 .. 4;
$before = starts();
is(network()->sign_in('p8@alpha.example', 'wrong')->status, 401,
    'a success begins anew');
is(starts() - $before, 1, 'for the zone as well');

# the database's own limit of a network, where the zone was lost

$db->do(q{insert into portal.limiter (key, counted)
    values (portal.keyed('attempt', 'network:' || ?), 40)},
    '0420' . unpack('H8', pack 'C4', 127, 3, 0, 9) . '0' x 20);
$r = $t->client(from => '127.3.0.9')->sign_in('p7@alpha.example');
is($r->status, 429, 'forty attempts in PostgreSQL');
like($r->header('Retry-After'), qr/^(?:[5-9]\d\d|600)$/, 'Retry-After');
$before = starts();
$r = $t->client(from => '127.3.0.9')->sign_in('p7@alpha.example');
is($r->status, 429, 'and again');
like($r->header('Retry-After'), qr/^(?:[5-9]\d\d|600)$/, 'Retry-After');
is(starts(), $before, 'which is remembered');

$t->done;


sub network {
    my ($n) = @_;
    return $t->client(from => $n ? "127.2.0.$n" : '127.1.0.' . ++$net);
}


# Attempts that are made at the same time: { status => how many }.
sub at_once {
    my @attempts = @_;
    my %statuses;

    for (@attempts) {
        my ($client, $name, $password) = @$_;
        $client->connect->send($client->bytes('POST', 'sign-in',
            type => 'application/x-www-form-urlencoded',
            body => Portal::Client::form([ csrf => $client->csrf,
                email => "$name\@alpha.example",
                password => $password ])));
    }

    $statuses{ $_->[0]->recv('POST')->status }++ for @attempts;
    return \%statuses;
}


sub starts { return $db->calls->{sign_in_start} // 0 }


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

