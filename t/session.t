#!/usr/bin/perl

# Tests for the life of a session: how it ends, by whom, when, and what its
# person sees of it (S-22, S-23, S-25, T61, T70).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new(statements => 1);
my $db = $t->db;
my $big = 'x' x (30 * 1024 * 1024);
my $file = $db->document(client => 'alpha', title => 'Big', name => 'big.txt',
    content => $big);

$t->run;

my ($c, $d, $r);

# sign-out

$c = $t->client(as => 'owner');
my $token = $c->cookie('');
is($c->get('documents')->status, 200, 'signed in');
is($c->get('sign-out')->status, 405, 'not by GET');

$r = $c->post('sign-out');
is($r->status, 303, 'signed out');
is($r->location, '/espace-client/sign-in', 'to the sign-in');
is($r->header('Clear-Site-Data'), '"cache"', 'the cache and nothing else');
is($r->set_cookie('portal-main')->{'max-age'}, 0, 'the cookie ends');
is($db->value('select count(*) from portal.session'), 0, 'the row is gone');
like($c->get('sign-in')->text, qr/session est fermée/, 'and the page says so');
unlike($c->get('sign-in')->text, qr/session est fermée/, 'once');

for (1 .. 6) {
    is(again($token)->get('documents')->status, 303, 'dead at once');
}

is(again($token)->post('preferences', { theme => 'dark' })->status, 401,
    'for a form as well');

$c = $t->client;
is($c->post('sign-out')->location, '/espace-client/sign-in',
    'sign-out of nobody');

# of a session that has ended meanwhile: a form that is still open

$c = $t->client(as => 'owner');
my $form = $c->csrf;
is($c->get('documents')->status, 200, 'signed in');
$db->do('delete from portal.session');
ok($t->wait_for(sub { again($c->cookie(''))->get('documents')->status == 303
}, 5), 'it has ended');
$r = $c->post('sign-out', {}, csrf => $form);
is($r->status, 303, 'sign-out of an ended session');
is($r->location, '/espace-client/sign-in', 'leads to the sign-in');
is($r->set_cookie('portal-main')->{'max-age'}, 0, 'the cookie ends');
is($r->header('Clear-Site-Data'), '"cache"', 'and the cache');

# everywhere

my @sessions = map { $t->client(as => 'owner') } 1 .. 3;
my $bob = $t->client(as => 'bob');
is($_->get('documents')->status, 200, 'signed in') for @sessions, $bob;
$sessions[0]->post('sign-out', { everywhere => 1 });
ended($_, 'signed out everywhere') for @sessions;
is($bob->get('documents')->status, 200, 'others stay');

# the list, and ending one of it

($c, $d) = map { $t->client(as => 'owner') } 1, 2;
$d->get('documents');
$db->do("update portal.session set agent = 'Mozilla/5.0 (Windows NT 10.0;
    rv:140.0) Gecko/20100101 Firefox/140.0', ip = '192.0.2.7'
    where token_hash = ?", \$t->{keys}->hash($d->cookie('')));

$r = $c->get('sessions', accept => 'json')->json;
is(scalar @{ $r->{sessions} }, 2, 'two sessions');
is_deeply([ map { $_->{current} ? 1 : 0 } @{ $r->{sessions} } ], [ 1, 0 ],
    'this one first');
is($r->{sessions}[1]{browser}, 'Firefox', 'browser');
is($r->{sessions}[1]{system}, 'Windows', 'system');
unlike($c->get('sessions')->body, qr/[0-9a-f]{64}|\Q$token\E/, 'no token');

my $id = $r->{sessions}[1]{id};
is($bob->post("sessions/$id/revoke")->status, 404, 'somebody else\'s');
is($d->get('documents')->status, 200, 'it lives');
is($c->post("sessions/$id/revoke")->status, 303, 'ended');
ended($d, 'revoked');
is($c->get('documents')->status, 200, 'this one lives');
is($c->post("sessions/$id/revoke")->status, 404, 'twice');

@sessions = map { $t->client(as => 'owner') } 1 .. 3;
$_->get('documents') for @sessions;
is($c->post('sessions/revoke-others')->status, 303, 'others ended');
ended($_, 'revoked with the others') for @sessions;
is($c->get('documents')->status, 200, 'this one lives');
is($bob->get('documents')->status, 200, 'and other persons');

# what ends it from outside: within a second, on every worker

for (
    [ 'disabled' => 'update portal.person set disabled_at = now()
        where id = ?', 'update portal.person set disabled_at = null' ],
    [ 'deleted' => 'delete from portal.session where person_id = ?' ],
) {
    my ($what, $sql, $undo) = @$_;
    $c = $t->client(as => 'reader');
    is($c->get('documents')->status, 200, 'alive') for 1 .. 4;
    $db->do($sql, $t->id('reader'));
    ended($c, "person $what");
    $db->do($undo) if $undo;
    is($c->get('documents')->status, 303, 'and stays so');
}

# a right that ends leaves the session

$c = $t->client(as => 'both');
is($c->get('c/alpha/documents')->status, 200, 'member');
$db->do("update portal.membership set ended_at = now() where person_id = ?
    and client_id = ?", $t->id('both'), $t->id('alpha'));
is($c->get('c/alpha/documents')->status, 404, 'membership has ended');
is($c->get('documents')->status, 200, 'the other one has not');

$c = $t->client(as => 'admin');
is($c->get('c/alpha/documents')->status, 200, 'admin');
$db->do("update portal.staff set role = 'collaborator' where person_id = ?",
    $t->id('admin'));
is($c->get('c/alpha/documents')->status, 404, 'role has changed');

$db->do('delete from portal.staff where person_id = ?', $t->id('admin'));
ended($c, 'no longer of the staff', 'c/alpha/documents');

# a download is cut when its session ends

for my $sql ('delete from portal.session where person_id = ?',
    'update portal.person set disabled_at = now() where id = ?')
{
    $c = $t->client(as => 'owner');
    my ($start, $sent) = (time, 0);
    $c->connect->send($c->bytes('GET', "documents/$file->{id}/file"));
    sysread $c->{socket}, my $head, 1000;
    like($head, qr{^HTTP/1.1 200 }, 'download begins');

    $db->do($sql, $t->id('owner'));
    ok($t->wait_log(qr/portal response cut/, 10), 'cut');
    cmp_ok(time - $start, '<', $t->slack(2), 'soon');

    while (my $n = sysread $c->{socket}, my $bytes, 65536) {
        $sent += $n;
    }

    cmp_ok($sent, '<', length $big, 'the rest never comes');
    $db->do('update portal.person set disabled_at = null');
    $t->write('error.log', '');
}

# S-23: limits, by PostgreSQL's clock

for (
    [ 'idle' => { last_seen => '-1801 seconds' }, 303 ],
    [ 'nearly idle' => { last_seen => '-1795 seconds' }, 200 ],
    [ 'too old' => { absolute_end => '-1 second' }, 303 ],
    [ 'nearly too old' => { absolute_end => '5 seconds' }, 200 ],
) {
    my ($what, $columns, $status) = @$_;
    my ($name) = keys %$columns;
    my $time = $db->value('select now() + ?::interval', $columns->{$name});
    my $s = $t->session_for('owner', $name => $time);
    is(again($s)->get('documents')->status, $status, "session: $what");
    is(again($s)->get('documents', accept => 'json')->status,
        $status == 303 ? 401 : 200, 'and as JSON');
}

$r = again($t->session_for('owner', absolute_end => '2026-01-01'))
    ->get('documents');
is($r->set_cookie('portal-main')->{'max-age'}, 0, 'the dead cookie ends');
ok($r->set_cookie('portal-main-flash'), 'and the reader is told');

$c = again($t->session_for('owner', absolute_end =>
    $db->value("select now() + interval '2 seconds'")));
is($c->get('documents')->status, 200, 'two seconds left');
ok($t->wait_for(sub { $c->get('documents')->status == 303 }, 10),
    'used all the time, and yet it ends');

# sessions in use are told of, a batch at a time

my $old = "now() - interval '1000 seconds'";
my @tokens = map { $t->{keys}->token } 1 .. 1100;
$db->do("insert into portal.session (token_hash, person_id, idle, last_seen,
    absolute_end) select decode(h, 'hex'), ?, 1800, $old,
    now() + interval '1 hour' from unnest(?::text[]) h", $t->id('owner'),
    [ map { unpack 'H*', $t->{keys}->hash($_) } @tokens ]);

$c = $t->client;
$c->set_cookie('', $_)->get('') for @tokens;
ok($t->wait_for(sub { $db->value("select count(*) from portal.session
    where last_seen > now() - interval '60 seconds'") >= 512 }, 15),
    'last-seen of 512 at once');
$db->do('delete from portal.session where last_seen is not null');

# language and theme

$c = $t->client(as => 'owner');
like($c->get('documents')->body, qr/<html lang="fr"/, 'French');
$r = $c->post('preferences', { locale => 'en', next => 'sessions' });
is($r->location, '/espace-client/sessions', 'back to the page');
like($c->get('sessions')->body, qr/<html lang="en"/, 'English');
is($c->post('preferences', { theme => 'dark' })->status, 303, 'dark');
like($c->get('sessions')->body, qr/data-theme="dark"|class="[^"]*dark/,
    'and shown so');

for ([ locale => 'de' ], [ locale => '' ], [ theme => 'red' ]) {
    $r = $c->post('preferences', { $_->[0] => $_->[1] }, accept => 'json');
    is($r->status, 422, "no $_->[0] '$_->[1]'");
    is((keys %{ $r->json->{errors} })[0], $_->[0], 'the field is named');
}

for my $next ('//evil.example', 'https://evil.example', '../x', 'a/../../b',
    "a\r\nX: y", '\\evil', '/sign-in', 'a//b', "\xc3\xa9", 'x' x 2001)
{
    is($c->post('preferences', { theme => 'auto', next => $next })->location,
        '/espace-client/documents', 'no way out by next');
}

$d = $t->client;
like($d->get('sign-in', headers => { 'Accept-Language' => $_->[0] })->body,
    qr/<html lang="$_->[1]"/, "Accept-Language: $_->[0]")
    for [ 'en-GB, fr;q=0.5' => 'en' ], [ 'de' => 'fr' ], [ 'fr' => 'fr' ],
        [ 'fr;q=0.1, en' => 'en' ], [ '*' => 'fr' ], [ 'x' x 500 => 'fr' ];

# T61: cookies that are no token cost no query

my $calls = $db->calls->{session};
$c = $t->client;

for my $value ((map { $t->{keys}->token(forged => 1) } 1 .. 50), 'x', '',
    'x' x 54, 'x' x 53, 'x' x 55, 'x' x 4000, "\xff" x 54, $token . 'A',
    substr($token, 0, 53), "\"$token\"", ' ')
{
    is($c->get('documents', headers => { Cookie => "portal-main=$value" })
        ->status, 303, 'no token') if $value ne $token;
}

is($db->calls->{session}, $calls, 'no query');

# two different values are nobody's, the same one twice is the session's

$c = $t->client(as => 'owner');
my ($one, $two) = ($c->cookie(''), $t->session_for('bob'));

# under other names it is nothing to us, and logged like any other cookie
$t->{secrets} = [ grep { $_ ne $one } @{ $t->{secrets} } ];

for (
    [ 'two different' => "portal-main=$one; portal-main=$two", 303 ],
    [ 'two headers' => [ "portal-main=$one", "portal-main=$two" ], 303 ],
    [ 'one and garbage' => "portal-main=$one; portal-main=x", 303 ],
    [ 'twice the same' => "portal-main=$one; portal-main=$one", 200 ],
    [ 'among others' => "a=b; portal-main=$one; c=d", 200 ],
    [ 'in the second header' => [ 'a=b', "portal-main=$one" ], 200 ],
    [ 'another portal' => "portal-other=$one", 303 ],
    [ 'longer name' => "portal-mainx=$one", 303 ],
    [ 'shorter name' => "portal-mai=$one", 303 ],
    [ 'of TLS' => "__Host-portal-main=$one", 303 ],
    [ 'as a device' => "portal-main-device=$one", 303 ],
    [ 'no spaces' => "a=b;portal-main=$one;c=d", 200 ],
) {
    my ($what, $cookie, $status) = @$_;
    is($t->client->get('documents', headers => { Cookie => $cookie })
        ->status, $status, "cookie: $what");
}

# what the worker itself refuses is kept too

my $staff = $t->client(as => 'collaborator');
is($staff->upload('c/alpha/documents', 'x', name => 'x.txt')->status, 403, 'staff do not deposit');

my $kept = 0;
for (1 .. 50) {
    $kept = $t->db->value("select count(*) from portal.audit where action = 'refused' and result = '403'
                           and person_id = ? and detail = 'POST /documents'", $t->id('collaborator'));
    last if $kept;
    select undef, undef, undef, 0.1;
}
is($kept, 1, 'a refusal of the worker is in the audit');

$t->done;


# A client with that token, on a connection of its own.
sub again {
    my ($value) = @_;
    return $t->client->set_cookie('', $value);
}


# Does the session end within a second, on every worker?
sub ended {
    my ($client, $what, $path) = @_;
    my $start = time;
    my $value = $client->cookie('') // return ok(1, "$what: no cookie");

    $t->wait_for(sub {
        !grep { again($value)->get($path // 'documents')->status == 200 }
            1 .. 4
    }, 10);
    cmp_ok(time - $start, '<', $t->slack(1), "$what: ended");
    return;
}
