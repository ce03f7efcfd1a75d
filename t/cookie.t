#!/usr/bin/perl

# Tests for whom our cookies are: no application, variable or log behind the
# portal sees one, those of others arrive as they were sent, and two portals
# of one server do not know each other (S-22, T61).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new(databases => ['second']);
$t->db('second')->do("update portal.document set title = 'SECOND ' || title");
$t->write('second.key', 'cd' x 32 . "\n");
chmod 0600, "$t->{dir}/second.key";

my $echo = $t->echo;
my $accel = $t->backend(sub {
    my ($head) = @_;
    my ($to) = $head =~ m{^GET /accel(\S+)};
    return "HTTP/1.0 200 OK\r\nX-Accel-Redirect: $to\r\n\r\n";
});

my $h2 = $t->free_port;
my $site = "
    location /app/ { proxy_pass http://127.0.0.1:$echo; }
    location /accel/ { proxy_pass http://127.0.0.1:$accel; }
    location = /variable {
        default_type text/plain;
        return 200 'sees [\$http_cookie] [\$cookie_a] [\$site_sees]';
    }
    location = /header {
        proxy_pass http://127.0.0.1:$echo;
        proxy_set_header X-Cookie \$http_cookie;
    }
    if (\$http_cookie ~ '(^| )(__Host-)?portal-(main|second)[-=]') {
        return 418;
    }
";

$t->run(
    http => 'map $http_cookie $site_sees { default no; ~portal-main= yes; }',
    servers => [
        { site => $site, portals => [ {}, { name => 'second',
            db => 'second', key => "$t->{dir}/second.key",
            mount => '/second/' },
            { name => 'main', mount => '/again/' } ] },
        { port => $h2, http2 => 1, site => $site, portals => [] },
    ]);

my $c = $t->client(as => 'owner');
my $token = $c->cookie('');
my ($r, $seen);

# what an application behind the same server sees

for (
    [ "portal-main=$token", undef ],
    [ "a=1; portal-main=$token; b=2", 'a=1; b=2' ],
    [ "portal-main=$token; a=1", 'a=1' ],
    [ "a=1; portal-main=$token", 'a=1' ],
    [ "a=1;portal-main=$token;b=2", 'a=1;b=2' ],
    [ "portal-main=$token; portal-main-pre=x; portal-main-device=y;"
        . ' portal-main-flash=z', undef ],
    [ "__Host-portal-main=$token; a=1", 'a=1' ],
    [ '__Host-portal-main-device=x; __Host-portal-main-pre=y', undef ],
    [ 'portal-second=x; a=1; portal-second-pre=y', 'a=1' ],
    [ 'portal-main=; a=1', 'a=1' ],
    [ 'portal-main=x; portal-main=y', undef ],
    [ 'a=1; b=2', 'a=1; b=2' ],
    [ 'a=1; a=1', 'a=1; a=1' ],
    [ 'a="x y"; b="1,2"; c==', 'a="x y"; b="1,2"; c==' ],
    [ 'portal=1; portal-=2; xportal-main=3', 'portal=1; portal-=2;'
        . ' xportal-main=3' ],
    [ 'portal-other=1; PORTAL-MAIN=2', 'portal-other=1; PORTAL-MAIN=2' ],
    [ 'a=portal-main=1', 'a=portal-main=1' ],
    [ 'lonely', 'lonely' ], [ "\xc3\xa9=\xff", "\xc3\xa9=\xff" ],
    [ 'a=' . 'x' x 5000, 'a=' . 'x' x 5000 ],
) {
    my ($sent, $wanted) = @$_;
    $r = $c->get('/app/x', headers => { Cookie => $sent, 'X-After' => 'y' });
    ($seen) = $r->body =~ /^Cookie: (.*?)\r?$/m;
    is($seen, $wanted, 'application: ' . printable($sent));
    like($r->body, qr/^X-After: y/m, 'the headers behind it');
    like($r->body, qr/^User-Agent: portal-test/m, 'and before');
}

# however many cookies a sister site sets, they hide nothing: names that are
# like ours are taken out and kept nowhere, others arrive as they were sent

my $like = join '; ', (map { "portal-main-x$_=$_" } 1 .. 200),
    'portal-main-=1', '__Host-portal-main-devices=1';
my $others = join '; ', (map { "portal-mainx$_=$_" } 1 .. 100),
    '__Host-portal-main_=1';

for my $sent ("$like; $others; portal-main=$token",
    "portal-main=$token; $others; $like")
{
    like($c->get('documents', headers => { Cookie => $sent })->body,
        qr/MARKalpha0/, 'the session is seen among 300 foreign cookies');
    $r = $c->get('/app/x', headers => { Cookie => $sent });
    ($seen) = $r->body =~ /^Cookie: (.*?)\r?$/m;
    is($seen, $others, 'which arrive, but those that are like ours');
}

# several headers

for (
    [ [ 'a=1', 'b=2' ], [ 'a=1', 'b=2' ] ],
    [ [ "portal-main=$token", 'b=2' ], ['b=2'] ],
    [ [ 'a=1', "portal-main=$token" ], ['a=1'] ],
    [ [ "portal-main=$token", 'portal-main-pre=x' ], [] ],
    [ [ "portal-main=$token", 'a=1', 'portal-second=x', 'b=2',
        'portal-main-device=x' ], [ 'a=1', 'b=2' ] ],
) {
    my ($sent, $wanted) = @$_;
    $r = $c->get('/app/x', headers => { Cookie => $sent });
    is_deeply([ $r->body =~ /^Cookie: (.*?)\r?$/mg ], $wanted,
        'several headers: ' . printable(join ' | ', @$sent));
}

# wherever it stands in a long list of headers

for my $n (0 .. 3, 15 .. 25, 35 .. 45, 60) {
    my $line = "portal-main=$token";
    my $bytes = join '', "GET /app/x HTTP/1.1\r\nHost: x\r\n",
        (map { "X-A$_: $_\r\n" } 1 .. $n), "Cookie: $line\r\n",
        (map { "X-B$_: $_\r\n" } 1 .. 10), "Connection: close\r\n\r\n";

    $c->connect->send($bytes);
    my $body = $c->recv('GET')->body;
    unlike($body, qr/portal-main|^Cookie/m, "behind $n headers");
    is(join(' ', $body =~ /^X-[AB]\d+: (\d+)/mg), join(' ', 1 .. $n,
        1 .. 10), 'and all others arrive');
    $c->disconnect;
}

for my $cookie ("portal-main=$token", "portal-main=$token; a=1") {
    $c->connect->send("GET /app/x HTTP/1.0\r\nCookie: $cookie\r\n\r\n");
    my $body = $c->recv('GET')->body;
    is(scalar(() = $body =~ /^Cookie: a=1\r?$/mg), $cookie =~ /a=1/ ? 1 : 0,
        'the only header');
    unlike($body, qr/portal-main/, 'is not there');
    $c->disconnect;
}

# variables, maps, conditions, headers that are set, logs

$r = $c->get('/variable', headers => { Cookie =>
    "a=1; portal-main=$token" });
is($r->body, 'sees [a=1] [1] [no]', 'variables');
$r = $c->get('/header', headers => { Cookie => "a=1; portal-main=$token" });
like($r->body, qr/^X-Cookie: a=1\r?$/m, 'header made of it');
unlike($r->body, qr/portal-main/, 'and nothing else');

# HTTP/2: in pieces

my $h = $t->h2(port => $h2, origin => undef);
$r = $h->answer($h->open('GET', '/app/x', { cookie => [ 'a=1',
    "portal-main=$token", 'b=2' ] }));
like($r->{body}, qr/^Cookie: a=1; b=2\r?$/mi, 'HTTP/2');
$h->close;

# through an internal redirect it is still known

like($c->get('/accel/espace-client/documents')->body, qr/MARKalpha0/,
    'sent here by an application');
unlike($t->client->get('/accel/espace-client/documents')->body, qr/MARK/,
    'somebody unknown as well');

# two portals of one server

my $d = $t->client(portal => 'second', mount => '/second/');
$d->set_cookie('', $token);
is($d->get('documents')->status, 303, 'a token of the other portal');

my $keys = Portal::Token->new('cd' x 32);
{
    local $t->{keys} = $keys;
    $d->set_cookie('', $t->session_for('owner', db => 'second'));
}

like($d->get('documents')->body, qr/SECOND.*MARKalpha0/, 'its own');
$d->{jar}{'portal-main'} = $token;
like($d->get('documents')->body, qr/SECOND/, 'with both cookies');
$r = $d->get('/espace-client/documents');
like($r->body, qr/MARKalpha0/, 'the first with both');
unlike($r->body, qr/SECOND/, 'is the first');
like($d->get('/again/documents')->body, qr/MARKalpha0/,
    'the first at another place');

{
    local $t->{keys} = $keys;
    is($d->post('sign-out')->status, 303, 'signed out of the second');
}

is($d->get('documents')->status, 303, 'there');
is($d->get('/espace-client/documents')->status, 200, 'and not of the first');

# a failure of one is none of the other

my $n = $t->client(from => '127.0.0.7');
$n->sign_in("nobody$_\@alpha.example", 'wrong') for 1 .. 20;
is($n->sign_in('owner')->status, 429, 'banned at the first');

{
    local $t->{keys} = $keys;
    my $m = $t->client(portal => 'second', mount => '/second/',
        from => '127.0.0.7');
    is($m->sign_in('owner')->status, 303, 'and not at the second');
}

$t->done;


sub printable {
    my ($text) = @_;
    $text =~ s/\Q$token\E/TOKEN/g;
    $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    return length $text > 60 ? substr($text, 0, 60) . '…' : $text;
}
