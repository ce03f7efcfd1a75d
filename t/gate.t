#!/usr/bin/perl

# Tests for the gate: which path and method is a page, who is sent where,
# and what a refusal looks like (S-28, S-38, S-55, T20, T31, T34).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
$t->run(pages => 'portal_page GET /only - access=public template=auth/sign-in;
                  portal_page POST /only-post preferences access=any;
                  portal_page GET /staff clients access=staff
                  template=account/clients;
                  portal_page GET /admin clients access=admin
                  template=account/clients;
                  portal_page GET /client clients access=client
                  template=account/clients;');

my $c = $t->client;
my $mount = '/espace-client/';
my $id = ($t->documents('alpha'))[0]{id};
my ($asset) = $c->get('sign-in')->body =~ m{="($mount\Qassets/\E[^"#]+)};
my ($r, %allow);

# every method on every page, by nobody

my %pages = (
    'sign-in' => [ 'GET, HEAD, POST', GET => 200, HEAD => 200,
        POST => 403 ],
    'only' => [ 'GET, HEAD', GET => 200, HEAD => 200 ],
    'only-post' => [ 'POST', POST => 401 ],
    'sign-out' => [ 'POST', POST => 303 ],
    '' => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    'documents' => [ 'GET, HEAD, POST', GET => 303, HEAD => 303,
        POST => 401 ],
    "documents/$id" => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    "documents/$id/file" => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    "documents/$id/preview" => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    "documents/$id/delete" => [ 'POST', POST => 401 ],
    'clients' => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    'sessions' => [ 'GET, HEAD', GET => 303, HEAD => 303 ],
    "sessions/$id/revoke" => [ 'POST', POST => 401 ],
    'sessions/revoke-others' => [ 'POST', POST => 401 ],
    'preferences' => [ 'POST', POST => 401 ],
    'c/alpha/documents' => [ 'GET, HEAD, POST', GET => 303, HEAD => 303,
        POST => 401 ],
    $asset => [ 'GET, HEAD', GET => 200, HEAD => 200 ],
);

for my $path (sort keys %pages) {
    my ($allow, %expected) = @{ $pages{$path} };

    for my $method (qw(GET HEAD POST PUT DELETE PATCH FOO PROPFIND OPTIONS)) {
        my $status = $expected{$method}
            // ($method eq 'OPTIONS' ? 204 : 405);
        $r = $c->request($method, $path, headers => { Cookie => undef });
        is($r->status, $status, "$method /$path");

        is($r->header('Allow'), "$allow, OPTIONS", "allow of $method /$path")
            if $status == 405 || $status == 204;
        is($r->body, '', "no body: $method /$path")
            if $method eq 'HEAD' || $status =~ /^(?:204|303)$/;
    }
}

for my $method (qw(TRACE CONNECT)) {
    is($c->request($method, 'sign-in')->status, 405, $method);
}

# HEAD is GET without the body

my $o = $t->client(as => 'owner');

for my $path ('sign-in', 'nothing', 'documents', "documents/$id",
    "documents/$id/file", "documents/$id/preview", 'sessions', $asset)
{
    my ($get, $head) = ($o->get($path), $o->head($path));
    my $n = $head->header('Content-Length');

    is($head->status, $get->status, "HEAD /$path");
    is($n, length $get->body, "its length") if $n;
    is($head->header('Content-Type'), $get->header('Content-Type'),
        'its type');
    is($head->body, '', 'its body');
}

# a reader without a session is sent to sign in, and back

for my $path ('documents', "documents/$id", 'documents?q=a%20b&year=2026',
    'c/alpha/documents')
{
    $r = $t->client->get($path);
    my $next = Portal::Client::encode($mount . $path);
    is($r->location, "${mount}sign-in?next=$next", "next of /$path");

    my $d = $t->client;
    $r = $d->get($r->location);
    is($r->hidden->{next}, $mount . $path, 'the form carries it');
    $r = $d->sign_in('owner', undef, next => $r->hidden->{next});
    is($r->location, $mount . $path, 'and leads back');
}

is($t->client->get('')->location, "${mount}sign-in", 'no next of the start');

# S-30: no other next

for my $next ('//evil.example/', '/\\evil.example/', 'https://evil.example/',
    '/other/', '/espace-client', "${mount}a\r\nX: y", "${mount}a b",
    "${mount}\xc3\xa9", "\t//evil.example", '/espace-clientx/', 'javascript:1',
    "${mount}../evil", "${mount}a/%2E%2e/../evil", "$mount/evil.example",
    "/%2f/evil")
{
    my $name = $next =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ger;
    $r = $t->client->sign_in('owner', undef, next => $next);
    my $location = $r->location // '';
    like($location, qr{^$mount(?:$|/evil)[\x21-\x7e]*$}, "next $name");
    unlike($location, qr{\.\.|%2e}i, 'stays below the mount');
}

# no session: no redirect for a script, nor for a write

$r = $c->get('documents', accept => 'json');
is($r->status, 401, 'JSON');
is($r->header('Content-Type'), 'application/problem+json; charset=utf-8',
    'type of a problem');
is_deeply([ sort keys %{ $r->json } ], [ qw(instance status title type) ],
    'members of a problem');
is($r->json->{status}, 401, 'its status');
like($r->json->{instance}, qr/^[0-9a-f]{32}$/, 'its reference');
is($c->get('nothing', accept => 'json')->json->{title}, 'Not found',
    'its title');

for (
    [ 'application/json' => 'problem' ], [ 'text/html' => 'html' ],
    [ '*/*' => 'html' ], [ undef, 'html' ],
    [ 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
        => 'html' ],
    [ 'application/json;q=0.5, text/html;q=0.4' => 'problem' ],
    [ 'application/json;q=0.4, text/html' => 'html' ],
    [ 'application/json;q=0' => 'html' ], [ 'garbage' => 'html' ],
    [ 'APPLICATION/JSON' => 'problem' ],
) {
    my ($accept, $type) = @$_;
    $r = $c->get('nothing', headers => { Accept => $accept });
    like($r->header('Content-Type'), qr/$type/,
        'Accept: ' . ($accept // '-'));
    is($r->header('Vary'), 'Accept', 'varies');
}

# paths that are almost one

for my $path ('documents/', 'Documents', 'documents//', "documents/$id/",
    'documents/1', "documents/$id/file/x", 'nothing', 'c/alpha/nothing',
    'c/', 'c', 'c/ALPHA/documents', 'c/al..pha/documents', 'c/-a/documents',
    'assets/', 'assets/portal.css', 'assets/../portal.key',
    'assets/%2e%2e%2fportal.key', '_error/404', '_error/500', '.git/config',
    'templates/layout/app.mustache', 'documents%00', 'sign-in;x=1',
    "documents/${id}x", "documents/\U$id", 'a' x 5000)
{
    $r = $c->get($path);
    like($r->status, qr/^40[04]$/, sprintf '%.30s is no page', $path);
    unlike($r->body, qr/MARK|[0-9a-f]{64}/, 'and shows nothing');
}

is($c->get("documents%2f$id")->status, 303, 'an encoded slash is one');
is($c->get("$mount/documents")->status, 303, 'slashes are merged');
is($c->get("${mount}x/../documents")->status, 303, 'dots are resolved');
is($c->get('%2e%2e/sign-in')->status, 404, 'above the mount: the site');
is($c->get('/espace-client')->location,
    "http://127.0.0.1:$t->{port}/espace-client/", 'the missing slash');

# bytes that are no text

for my $path ('%ff', 'documents/%c3%28', '%c0%af', "\xff") {
    $r = $c->get($path);
    is($r->status, 400, 'not UTF-8');
    like($r->body, qr/<main/, 'in our own page');
}

is($c->get('sign-in?x=%ff')->status, 400, 'nor in the query');
is($c->get('sign-in?x=%00')->status, 400, 'NUL in the query');
is($c->get('documents%0d%0aX-Evil:1')->status, 404, 'CR and LF');
is($c->get('sign-in?next=%0d%0aX-Evil:1')->header('X-Evil'), undef,
    'nor of a parameter');
is($c->get('a' x 9000)->status, 414, 'too long for nginx');

# HTTP/1.0, and no Host

is($c->get('sign-in', http => '1.0')->status, 200, 'HTTP/1.0');
is($c->get('sign-in', http => '1.0', headers => { Host => undef })->status,
    200, 'without Host');

# T20, T31: what is asked at once with a session, and who may

for (
    [ owner => staff => 403 ], [ owner => admin => 403 ],
    [ owner => client => 200 ], [ collaborator => staff => 200 ],
    [ collaborator => admin => 403 ], [ collaborator => client => 403 ],
    [ manager => admin => 403 ], [ manager => staff => 200 ],
    [ admin => admin => 200 ], [ admin => staff => 200 ],
    [ admin => client => 403 ],
) {
    my ($who, $page, $status) = @$_;
    is($t->client(as => $who)->get($page)->status, $status,
        "/$page by $who");
}

# a document is followed from anywhere, and is a part of no other's page

$o = $t->client(as => 'owner');

for (
    [ 'a link' => 'cross-site', 'navigate', 'document', 200 ],
    [ 'a link of a sister' => 'same-site', 'navigate', 'document', 200 ],
    [ 'the address bar' => 'none', 'navigate', 'document', 200 ],
    [ 'our own frame' => 'same-origin', 'navigate', 'iframe', 200 ],
    [ 'our own image' => 'same-origin', 'no-cors', 'image', 200 ],
    [ 'our own script' => 'same-origin', 'cors', 'empty', 200 ],
    [ 'no browser' => undef, undef, undef, 200 ],
    [ 'an image' => 'cross-site', 'no-cors', 'image', 403 ],
    [ 'an image of a sister' => 'same-site', 'no-cors', 'image', 403 ],
    [ 'a script' => 'cross-site', 'no-cors', 'script', 403 ],
    [ 'a request' => 'cross-site', 'cors', 'empty', 403 ],
    [ 'a frame' => 'cross-site', 'navigate', 'iframe', 403 ],
    [ 'an object' => 'cross-site', 'navigate', 'object', 403 ],
    [ 'no mode' => 'cross-site', undef, 'image', 403 ],
    [ 'no destination' => 'cross-site', 'no-cors', undef, 403 ],
    [ 'what is not known' => 'x', 'x', 'x', 403 ],
) {
    my ($what, $site, $mode, $dest, $status) = @$_;
    my %headers = ('Sec-Fetch-Site' => $site, 'Sec-Fetch-Mode' => $mode,
        'Sec-Fetch-Dest' => $dest);

    for my $path ("documents/$id/file", "documents/$id/preview") {
        is($o->get($path, headers => \%headers)->status, $status,
            "$what: /$path");
    }

    is($o->get('documents', headers => \%headers)->status, 200,
        'pages are not asked');
}

# what is no page is told in the language of who is signed in, where the
# zone knows them: nobody is asked for it

$t->db->do(q{update portal.person set locale = 'en' where id = ?},
    $t->id('reader'));
my $e = $t->client(as => 'reader');
my %french = (headers => { 'Accept-Language' => 'fr' });

like($e->get('nothing', %french)->body, qr/<html[^>]* lang="fr"/,
    'not known yet: as the browser asks');

for (
    [ GET => 'nothing', 404 ], [ PUT => 'documents', 405 ],
    [ GET => '%ff', 400 ], [ POST => $asset, 405 ],
) {
    my ($method, $path, $status) = @$_;

    ok($t->wait_for(sub {
        $e->get('documents');
        $r = $e->request($method, $path, %french);
        $r->body =~ /<html[^>]* lang="en"/;
    }, 5), "$method /$path: as its person reads");
    is($r->status, $status, 'and is refused');
}

like($c->get('nothing', %french)->body, qr/<html[^>]* lang="fr"/,
    'nobody: as the browser asks');

# methods are not overridden (S-28)

for my $header (qw(X-HTTP-Method-Override X-Method-Override X-HTTP-Method)) {
    is($c->get('only-post', headers => { $header => 'POST' })->status, 405,
        $header);
}

is($c->get('documents?_method=POST')->status, 303, '_method');

$t->done;
