#!/usr/bin/perl

# Tests for request bodies: nothing of one is read before the gate has
# granted the request, what is too long is refused, and the connection goes
# on (S-50, S-70, S-72, T08, T11-T18).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time);

use constant MB => 1024 * 1024;

my $t = Portal::Test->new;
$t->run(portal => 'client_max_body_size 500m; client_body_timeout 3s;',
    pages => 'portal_page POST /small document_deposit access=client
              action=upload template=documents/index body=100k;');

my $form = 'application/x-www-form-urlencoded';
my $o = $t->client(as => 'owner');
my ($c, $r);

# 300 MB of somebody unknown: an answer at once, and nothing on disk

for (
    [ 'documents', 401 ], [ 'c/alpha/documents', 401 ],
    [ 'preferences', 401 ], [ 'sign-in', 413 ], [ 'sign-out', 413 ],
    [ 'nothing', 404 ], [ 'sessions', 405 ],
) {
    my ($path, $status) = @$_;

    $r = early($path, { 'Content-Length' => 300 * MB,
        'Content-Type' => $form });
    is($r->{status}, $status, "300 MB to /$path");

    $status = 411 if $status == 413;
    $r = early($path, { 'Content-Length' => undef,
        'Transfer-Encoding' => 'chunked', 'Content-Type' => $form });
    is($r->{status}, $status, "the same in chunks");
}

is_deeply([ $t->temp_files ], [], 'nothing on disk');

# T18: a browser that sends on reads its answer all the same

$c = $t->client;
$c->connect->send($c->bytes('POST', 'documents',
    headers => { 'Content-Length' => 20 * MB }) . 'x' x (5 * MB));
is($c->recv('POST')->status, 401, 'answer behind 5 MB');
$c->send('x' x (15 * MB));
is_deeply([ $t->temp_files ], [], 'nothing on disk');
is($c->get('sign-in')->status, 200, 'the connection goes on');

# the same with a session that may not deposit

for ([ reader => 403 ], [ manager => 403 ]) {
    my ($who, $status) = @$_;
    $r = early('c/alpha/documents', { 'Content-Length' => 300 * MB },
        $t->client(as => $who));
    is($r->{status}, $status, "300 MB of a $who");
}

# T14: chunks where there are none

for my $path ('preferences', 'sign-in', 'sign-out', 'sessions/revoke-others')
{
    is($o->post($path, {}, chunked => 10)->status, 411, "chunks to /$path");
}

# S-50: limits; the page is ours

for ([ 65536, 303 ], [ 65537, 413 ], [ 1 * MB, 413 ]) {
    my ($size, $status) = @$_;
    my $body = 'locale=en&csrf=' . $o->csrf . '&x=';
    $body .= 'y' x ($size - length $body);

    $r = $o->request('POST', 'preferences', type => $form, body => $body);
    is($r->status, $status, "form of $size bytes");
}

like($r->body, qr/<main.*413/s, 'page of 413');
is($o->post('preferences', { x => 'y' x 70000 }, accept => 'json')
    ->json->{status}, 413, 'and as a problem');

is($o->upload('small', 'x' x 100000)->status, 303, 'upload below a limit');
is($o->upload('small', 'x' x 102401)->status, 413, 'and above');

for my $chunk (7, 4096, 65536) {
    $r = $o->upload('small', 'x' x 102401, chunked => $chunk);
    is($r->status, 413, "above, in chunks of $chunk");
    like($r->body, qr/<main.*413/s, 'in our page');
}

is_deeply([ $t->temp_files ], [], 'nothing is left');

# S-70: lengths that contradict

for (
    [ 'both' => { 'Content-Length' => 9, 'Transfer-Encoding' => 'chunked' } ],
    [ 'two' => { 'Content-Length' => [ 9, 9 ] } ],
    [ 'negative' => { 'Content-Length' => -1 } ],
    [ 'no number' => { 'Content-Length' => '9x' } ],
    [ 'no number in a list' => { 'Content-Length' => '9, 9' } ],
    [ 'gzip' => { 'Transfer-Encoding' => 'gzip' }, 501 ],
    [ 'two codings' => { 'Transfer-Encoding' => 'chunked, gzip' }, 501 ],
) {
    my ($what, $headers, $status) = @$_;
    $c = $t->client;
    $c->connect->send($c->bytes('POST', 'sign-in', headers => $headers));
    $r = $c->recv('POST');
    is($r->status, $status // 400, "length: $what");
    is($r->header('Connection'), 'close', 'and no more');
    $c->disconnect;
}

# malformed chunks

for ([ 'size' => "zz\r\nab\r\n0\r\n\r\n" ], [ 'end' => "2\r\nabcd\r\n0\r\n" ],
    [ 'overflow' => "fffffffffffffffff\r\n" ])
{
    my ($what, $chunks) = @$_;
    $o->connect->send($o->bytes('POST', 'documents', headers => {
        'Transfer-Encoding' => 'chunked', 'X-Portal-Csrf' => $o->csrf,
        'Content-Length' => undef, 'X-Portal-File' => 'a.txt' },
        type => 'text/plain') . $chunks);
    is($o->recv('POST')->status, 400, "chunks: $what");
    $o->disconnect;
}

$r = $o->upload('documents', "x\n", chunked => 1, headers => {
    Trailer => 'X-A' });
is($r->status, 303, 'chunks of one byte');

# T15: Expect

$c = $t->client(as => 'owner');
my $body = 'theme=dark&csrf=' . $c->csrf;
my $head = $c->bytes('POST', 'preferences', type => $form, headers => {
    'Content-Length' => length $body, Expect => '100-continue' });

$c->connect->send($head);
is($c->recv('POST', interim => 1)->status, 100, 'asked to continue');
$c->send($body);
is($c->recv('POST')->status, 303, 'and answered');

$c->send($head . $body);
is($c->recv('POST')->status, 303, 'not waiting for it');

$c = $t->client;
$c->connect->send($head =~ s/Cookie: .*?\r\n//r);
$r = $c->recv('POST', interim => 1);
is($r->status, 401, 'refused instead');
is($r->header('Connection'), 'close', 'whatever follows is no request');

# T12: bodies in pieces, and none

for my $size (1, 10, 1000) {
    $c = $t->client(as => 'owner');
    my $bytes = $c->bytes('POST', 'preferences', type => $form,
        body => 'theme=auto&csrf=' . $c->csrf . '&x=' . 'z' x 3000);
    $c->connect;
    $c->send(substr $bytes, 0, length($bytes) - $size);
    select undef, undef, undef, 0.03;
    $c->send(substr $bytes, -$size);
    is($c->recv('POST')->status, 303, "the last $size bytes later");
}

is($o->request('POST', 'preferences')->status, 403, 'no body: no token');
is($o->request('POST', 'preferences',
    headers => { 'X-Portal-Csrf' => $o->csrf })->status, 303,
    'no body, token in a header');
is($o->request('POST', 'documents', headers => {
    'X-Portal-Csrf' => $o->csrf, 'X-Portal-File' => 'a.txt' },
    type => 'text/plain')->status, 422, 'no body for an upload');

# a body that stops: closed after client_body_timeout, nothing left

$c = $t->client(as => 'owner');
$c->connect->send($c->bytes('POST', 'documents', type => 'text/plain',
    headers => { 'Content-Length' => 100, 'X-Portal-Csrf' => $c->csrf,
        'X-Portal-File' => 'a.txt' }) . 'half of it');
my $slow = $c;

# T08: requests behind each kind of answer

for (
    [ 'answered' => 'GET', 'sign-in', 200 ],
    [ 'absent' => 'GET', 'nothing', 404 ],
    [ 'redirect' => 'GET', 'documents', 303 ],
    [ 'empty' => 'OPTIONS', 'documents', 204 ],
    [ 'head' => 'HEAD', 'sign-in', 200 ],
    [ 'body of a GET' => 'GET', 'sign-in', 200, body => 'x' x 5000 ],
    [ 'chunks of a GET' => 'GET', 'sign-in', 200, body => 'x' x 5000,
        chunked => 100 ],
    [ 'refused body' => 'POST', 'documents', 401, body => 'x' x 5000 ],
    [ 'refused chunks' => 'POST', 'documents', 401, body => 'x' x 5000,
        chunked => 1000 ],
    [ 'refused method' => 'DELETE', 'documents', 405, body => 'x' x 5000 ],
    [ 'no length' => 'POST', 'sign-in', 411, body => 'x' x 5000,
        chunked => 1000 ],
    [ 'wrong type' => 'POST', 'sign-in', 415, body => 'x' x 5000 ],
    [ 'too long' => 'POST', 'sign-in', 413, body => 'x' x 70000 ],
    [ 'no token' => 'POST', 'sign-in', 403, body => 'a=b', type => $form ],
) {
    my ($what, $method, $path, $status, %o) = @$_;
    $c = $t->client;
    $c->connect->send($c->bytes($method, $path, %o)
        . $c->bytes('GET', 'sessions') . $c->bytes('GET', 'nothing'));
    is($c->recv($method)->status, $status, "pipelined: $what");
    is($c->recv('GET')->status, 303, 'second');
    is($c->recv('GET')->status, 404, 'third');
    is($c->pending, '', 'and no more');
}

$c = $t->client(as => 'owner');
$c->connect->send(join '', map { $c->bytes('GET', $_) } 'documents',
    'sessions', 'documents/' . ($t->documents('alpha'))[1]{id} . '/file');
like($c->recv('GET')->body, qr/MARKalpha0/, 'pipelined with a session');
is($c->recv('GET')->status, 200, 'second');
is($c->recv('GET')->body, "MARKalpha1\n", 'third');

ok($slow->closed(5), 'slow body: closed');
is_deeply([ $t->temp_files ], [], 'nothing is left');

# a worker that ends while threads of it do: its code must stay

for (1 .. 3) {
    $t->client(as => 'owner')->upload('documents', "a $_\n") for 1 .. 4;
    $t->reload;
}

is($t->client->get('sign-in')->status, 200, 'after reloads');

$t->done;


# The answer to a header alone, within a second.
sub early {
    my ($path, $headers, $client) = @_;
    my $d = $client // $t->client;
    my $start = time;

    $d->connect->send($d->bytes('POST', $path, headers => $headers));
    my $answer = $d->recv('POST');
    cmp_ok(time - $start, '<', $t->slack(1), 'at once');
    $d->disconnect;
    return $answer;
}
