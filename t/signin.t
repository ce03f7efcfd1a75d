#!/usr/bin/perl

# Tests for signing in by password: the page and its form, cookies, tokens,
# and that a refusal does not tell why (S-05, S-08, S-09, S-11, S-22, S-24,
# S-25).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time);

my $t = Portal::Test->new(statements => 1);
my $db = $t->db;

$db->person(email => 'nopassword@alpha.example', password => 0,
    clients => { alpha => 'owner' });
$db->person(email => 'locked@alpha.example', clients => { alpha => 'owner' });

$t->run;

my $net = 0;
my ($c, $r, %seen);

# the form

$c = $t->client;
$r = $c->get('sign-in');
is($r->status, 200, 'page');
is_deeply([ sort keys %{ $r->hidden } ], ['csrf'], 'hidden fields');
isnt($c->get('sign-in')->hidden->{csrf}, $r->hidden->{csrf},
    'another token in each answer');
is(scalar $c->get('sign-in')->headers('Set-Cookie'), 0, 'one cookie for it');

for (
    [ 'nothing' => {}, 400 ],
    [ 'no password' => { email => 'a@b.example' }, 400 ],
    [ 'no e-mail' => { password => 'x' }, 400 ],
    [ 'empty' => { email => '', password => '' }, 422 ],
    [ 'empty password' => { email => 'a@b.example', password => '' }, 422 ],
    [ 'empty e-mail' => { email => '', password => 'x' }, 422 ],
    [ 'long e-mail' => { email => 'a' x 255, password => 'x' }, 400 ],
    [ 'long password' => { email => 'a@b.example', password => 'x' x 1025 },
        400 ],
    [ 'NUL' => { email => 'a@b.example', password => "x\0y" }, 400 ],
) {
    my ($what, $form, $status) = @$_;
    $r = $t->client->post('sign-in', $form);
    is($r->status, $status, "form: $what");
    unlike($r->body, qr/value="x/, 'no password in the page');
}

is($db->calls->{sign_in_start} // 0, 0, 'none of them was an attempt');

# S-08, S-09: refused for six reasons, in the same words, no sooner than
# 400 ms, by the same statements

# a lock of some time, made of rows: as five failures would
sub lock_account {
    my ($email) = @_;
    $db->do(q{insert into portal.limiter (key, failures, counted, until)
        values (portal.keyed('attempt', ?), 5, 5, now() + '1 minute')},
        "account:$email");
    return;
}

lock_account('locked@alpha.example');
lock_account('lockednobody@alpha.example');

my %classes = (
    'unknown' => [ 'unknown@alpha.example', $t->{password} ],
    'wrong password' => [ $t->email('owner'), 'not it' ],
    'disabled' => [ $t->email('disabled'), $t->{password} ],
    'locked' => [ 'locked@alpha.example', $t->{password} ],
    'locked and unknown' => [ 'lockednobody@alpha.example', 'x' ],
    'without a password' => [ 'nopassword@alpha.example', $t->{password} ],
    'not an address' => [ 'nobody', 'x' ],
);

for my $what (sort keys %classes) {
    my ($email, $password) = @{ $classes{$what} };
    my $before = $db->calls;
    my $start = time;

    $c = network();
    $r = $c->sign_in($email, $password);
    my $took = time - $start;
    my $after = $db->calls;

    is($r->status, 401, "refused: $what");
    cmp_ok($took, '>=', 0.399, 'not at once');
    is($c->cookie(''), undef, 'no session');

    for my $call (qw(sign_in_start sign_in_finish)) {
        is($after->{$call} - ($before->{$call} // 0), 1, "one $call");
    }

    my $text = $r->masked =~ s/\Q$email\E/EMAIL/gr;
    $text =~ s/^Content-Length: .*\r\n//m;
    $seen{$text} = $what;
}

is(scalar keys %seen, 1, 'the same answer: ' . join ', ', values %seen);
is($db->value('select count(*) from portal.session'), 0, 'no session');

$r = $t->client->sign_in('nobody@x.example', 'x', accept => 'json');
is($r->json->{status}, 401, 'as a problem');

# stable false salt, the present parameters

my %salts;

for (1 .. 2) {
    my $row = $db->row(q{select encode(salt, 'hex') as salt, ops, mem_kib
        from portal.sign_in_start('who@x.example', ?, null, 2, 19456, 'n')},
        '0' x 32);
    $salts{"$row->{salt} $row->{ops} $row->{mem_kib}"}++;
}

is_deeply([ values %salts ], [2], 'the salt of an unknown address is stable');
like((keys %salts)[0], qr/^[0-9a-f]{32} 2 19456$/, 'and looks like one');

# S-11: the same address, and others that only look like it

for my $email ('Alice@Alpha.Example', '  alice@alpha.example ',
    'ALICE@ALPHA.EXAMPLE')
{
    is(network()->sign_in($email)->status, 303, "address: $email");
}

for my $email ('alice@alpha.example.', 'alice+x@alpha.example',
    "al\xc4\xb1ce\@alpha.example", "\xef\xbd\x81lice\@alpha.example",
    'alice@alpha.example%', '"alice"@alpha.example', 'alice@alpha_example')
{
    is(network()->sign_in($email)->status, 401, "address: $email");
}

$db->person(email => 'k@x.example');
is(network()->sign_in("\xe2\x84\xaa\@x.example")->status, 401, 'Kelvin');
is(network()->sign_in('K@x.example')->status, 303, 'K');

# S-05: all of a password counts, spaces and other alphabets too

my $long = 'é' x 30 . ' ' . 'x' x 67;
long_password($long);
my $who = 'long@alpha.example';

is(length $long, 128, 'a password of 128 bytes');
is(network()->sign_in($who, $long)->status, 303, 'it signs in');

for my $i (0, 71, 72, 127) {
    my $other = $long;
    substr $other, $i, 1, chr(ord(substr $other, $i, 1) ^ 1);
    my $status = network()->sign_in($who, $other)->status;
    like($status, qr/^40[01]$/, "byte $i of it changed");
}

is(network()->sign_in($who, "$long ")->status, 401, 'one byte more');

# S-22: cookies

$c = network();
$r = $c->sign_in('owner', undef, page => 1);
my $set = $r->set_cookie('portal-main');
is_deeply([ sort keys %$set ], [qw(httponly path samesite value)],
    'session cookie');
$set = $r->set_cookie('portal-main-device');
is($set->{'max-age'}, 90 * 86400, 'the browser is known for 90 days');
is($r->set_cookie('portal-main-pre')->{'max-age'}, 0, 'the form\'s ends');
is($r->location, '/espace-client/', 'start page');
unlike($r->head . $r->body, qr/\Q$t->{password}\E/, 'no password');

my $token = $c->cookie('');
is($db->value('select count(*) from portal.session where token_hash = ?',
    \$t->{keys}->hash($token)), 1, 'its hash is stored');
is($db->value("select count(*) from portal.session
    where encode(token_hash, 'escape') like ?", '%' . substr($token, 0, 8)
    . '%'), 0, 'and not the token');

# S-24: a new token at each sign-in, the old one dead, none that was fixed

my $fixed = $t->{keys}->token;
$c = network()->set_cookie('', $fixed);
is($c->sign_in('owner', undef, page => 1)->status, 303,
    'over a token of somebody else');
isnt($c->cookie(''), $fixed, 'another one');
is(network()->set_cookie('', $fixed)->get('documents')->status, 303,
    'the old one is nobody');

my $first = $c->cookie('');
$c->post('sign-in', { email => $t->email('bob'),
    password => $t->{password} });
isnt($c->cookie(''), $first, 'signed in over a session');
like($c->get('documents')->body, qr/MARKbravo/, 'as the other');
is(network()->set_cookie('', $first)->get('documents')->status, 303,
    'the first session has ended');

my $pre = $c->get('sign-in') && $t->client;
$pre->get('sign-in');
is(network()->set_cookie('', $pre->cookie('pre'))->get('documents')->status,
    303, 'the cookie of a form is no session');

# a session survives a form that failed

$c = $t->client(as => 'owner', from => '127.0.9.9');
is($c->sign_in('bob', 'wrong')->status, 401, 'refused over a session');
is($c->get('documents')->status, 200, 'the session is still there');

# S-25: ten sessions at most, the oldest goes

$db->do('delete from portal.session');
my @old = map { $t->session_for('owner', last_seen => "2026-01-01", idle =>
    40_000_000) } 1 .. 10;
$db->do("update portal.session set last_seen = now() - '1 minute'::interval
    * (select count(*) from portal.session s where s.id < session.id)");
my $oldest = $db->value('select id from portal.session
    order by last_seen limit 1');

is(network()->sign_in('owner')->status, 303, 'the eleventh');
is($db->value('select count(*) from portal.session'), 10, 'ten are left');
is($db->value('select count(*) from portal.session where id = ?', $oldest),
    0, 'without the oldest');

# what the audit says

is($db->value(q{select count(*) from portal.audit
    where action = 'sign_in' and result = 'refused' and person_id = ?},
    $t->id('disabled')), 1, 'refusals are written');
is($db->value(q{select count(*) from portal.audit where action = 'sign_in'
    and result = 'ok' and person_id = ? and ip like '127.%'},
    $t->id('bob')), 1, 'and successes');

$t->done;


# A client from a network that has not failed yet.
sub network {
    return $t->client(from => '127.1.0.' . ++$net);
}


sub long_password {
    my ($password) = @_;
    my $ctl = $t->top . '/build/portalctl';
    $t->write('password', "$password\n");
    my $line = qx{'$ctl' hash-password --memory 19456 <'$t->{dir}/password'};
    my ($ops, $memory, $salt, $verifier) = split ' ', $line;
    my $id = $db->person(email => 'long@alpha.example', password => 0,
        clients => { alpha => 'owner' });

    $db->credential($id, ops => $ops, mem_kib => $memory,
        salt => \pack('H*', $salt), verifier => \pack('H*', $verifier));
    return;
}
