#!/usr/bin/perl

# Tests for where a portal is mounted: at the root of a host, deep below it,
# beside locations of the site, and behind a proxy that ends TLS (T31, T67,
# S-21).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $id = ($t->documents('alpha'))[1]{id};
my ($bare, $deep, $odd, $secure, $tls) = map { $t->free_port } 1 .. 5;

$t->write("html/$_", "site: $_\n") for qw(index.html site.css a.pdf
    a/index.html a/bc.html a/b.html espace-clients.html);
$t->write('html/portal-share/a.pdf', 'x');

$t->run(servers => [
    { portals => [ {} ] },
    { port => $bare, portals => [ { mount => '/' } ],
        site => 'location ^~ /blog/ { return 200 "blog"; }
                 location = /exact { return 200 "exact"; }' },
    { port => $deep, portals => [ { mount => '/a/b/' },
        { mount => '/a/' }, { mount => '/portal.v2/x_y-z/' } ] },
    { port => $odd, portals => [ { mount => '/espace/', modifier => '',
        portal => 'portal_regex_ok on;' },
        { mount => '/closed/' } ],
        site => 'location ~* \.(pdf|txt)$ { return 200 "regex"; }' },
    { port => $secure, portals => [ { mount => '/espace-client/',
        name => 'tls', secure => 1, base =>
        'https://www.cabinet.example/espace-client/' } ] },
    { port => $tls, tls => 1, portals => [ { name => 'tls' } ] },
]);

# the same visit at each mount: all links stay below it

for (
    [ $t->port, '/espace-client/' ], [ $bare, '/' ], [ $deep, '/a/b/' ],
    [ $deep, '/a/' ], [ $deep, '/portal.v2/x_y-z/' ],
    [ $odd, '/espace/' ], [ $odd, '/closed/' ],
) {
    my ($port, $mount) = @$_;
    my $origin = "http://127.0.0.1:$port";
    my $c = $t->client(port => $port, mount => $mount, origin => $origin,
        host => "127.0.0.1:$port");

    my $r = $c->get('documents');
    is($r->location, "${mount}sign-in?next="
        . Portal::Client::encode("${mount}documents"), "$mount: sent away");

    $r = $c->get($r->location);
    is($r->status, 200, 'page of the sign-in');
    like($r->body, qr/action="\Q$mount\Esign-in"/, 'its form');

    my @assets = $r->body =~ m{(?:src|href)="([^"#]*assets/[^"#]*)}g;
    cmp_ok(scalar @assets, '>=', 3, 'assets');
    is(scalar(grep { index($_, "${mount}assets/") == 0 } @assets),
        scalar @assets, 'below the mount');

    for my $asset (@assets) {
        my $got = $c->get($asset);
        is($got->status, 200, 'is there');
        like($got->header('Content-Type'), $asset =~ /\.css$/ ? qr/css/
            : $asset =~ /\.js$/ ? qr/javascript/ : qr/svg/, 'of its type');
    }

    $r = $c->sign_in('owner', undef, page => 1,
        next => "${mount}documents/$id");
    is($r->location, "${mount}documents/$id", 'and back');
    is($c->get('')->location, "${mount}documents", 'start page');

    $r = $c->get('documents');
    like($r->body, qr/MARKalpha1/, 'list');
    my @out = grep { !m{^\Q$mount\E|^#|^tel:|^mailto:} }
        $r->body =~ m{(?:href|src|action)="([^"]*)"}g;
    is(join(' ', @out), '', 'no link leads out');

    is($c->get("documents/$id/file")->body, "MARKalpha1\n", 'download');
    is($c->get('c/alpha/documents')->status, 200, 'list by its client');
    like($c->get('c/alpha/documents')->body,
        qr{="\Q$mount\Ec/alpha/documents}, 'and its links');
    is($c->post('c/alpha/preferences', { theme => 'auto' })->location,
        "${mount}c/alpha/documents", 'stays at its client');
    $r = $c->upload('c/alpha/documents', "deposit\n");
    like($r->location, qr{^\Q$mount\Ec/alpha/documents/}, 'deposit');
    is($c->post('sign-out')->location, "${mount}sign-in", 'sign-out');
    is($c->get('nothing')->status, 404, 'no page');
}

# the slash that was forgotten

my $c = $t->client(rules => 0);
is($c->get('/espace-client')->location,
    'http://127.0.0.1:' . $t->port . '/espace-client/', 'slash is added');
is($c->get('/espace-client?a=b')->location,
    'http://127.0.0.1:' . $t->port . '/espace-client/?a=b', 'with the query');
is($c->get('/espace-clients.html')->body, "site: espace-clients.html\n",
    'a longer name is the site\'s');
is($c->get('/site.css')->body, "site: site.css\n", 'the site is there');

$c = $t->client(port => $deep, mount => '/none/');
is($c->get('/a/bc.html')->status, 404, '/a/ has all below it');
is($c->get('/a/b')->location, "http://127.0.0.1:$deep/a/b/", '/a/b');
is($c->get('/a/b/sign-in')->status, 200, '/a/b/ is the longer one');

$c = $t->client(port => $bare, mount => '/none/');
is($c->get('/blog/x')->body, 'blog', 'a location beside one at the root');
is($c->get('/exact')->body, 'exact', 'and an exact one');

# T67: beside regex locations

$c = $t->client(port => $odd, mount => '/none/', as => 'owner');
is($c->get('/espace/x.pdf')->body, 'regex', 'taken over, as was wished');
is($c->get('/closed/x.pdf')->status, 404, '^~ is not taken over');

# S-21: behind a proxy: nothing of the request makes a link

$c = $t->client(port => $secure, portal => 'tls', secure => 1,
    mount => '/espace-client/', origin => 'https://www.cabinet.example',
    host => 'www.cabinet.example');
my $r = $c->sign_in('owner', undef, page => 1);
is($r->status, 303, 'sign-in behind a proxy');
ok($r->set_cookie('__Host-portal-tls'), '__Host- cookie');
is($r->location, '/espace-client/', 'relative');

for my $headers ({ Host => 'evil.example' },
    { 'X-Forwarded-Host' => 'evil.example' },
    { 'Forwarded' => 'host=evil.example' },
    { 'X-Forwarded-Proto' => 'gopher', 'X-Forwarded-Prefix' => '/evil' },
    { 'X-Original-URL' => '/evil', 'X-Rewrite-URL' => '/evil' })
{
    my $name = join ' ', sort keys %$headers;
    my $got = $c->get('documents', headers => $headers);
    is($got->status, 200, $name);
    unlike($got->body . $got->head, qr/evil|gopher/, 'is not repeated');
    is($t->client(port => $secure)->get('documents', headers => $headers,
        rules => 0)->location =~ /evil/ ? 1 : 0, 0, 'nor in a redirect');
}

is($c->get('https://evil.example/espace-client/documents')->status, 200,
    'absolute request line');
is($t->client(port => $secure, portal => 'tls', secure => 1)
    ->set_cookie('', $c->cookie(''))->get('sessions')->status, 200,
    'another Host reads');
is($t->client(port => $secure, portal => 'tls', secure => 1,
    origin => 'https://evil.example')->set_cookie('', $c->cookie(''))
    ->post('preferences', {}, headers => { 'Sec-Fetch-Site' => undef })
    ->status, 403, 'and another origin does not write');

# TLS of this server

$c = $t->client(port => $tls, tls => 1, portal => 'tls', secure => 1,
    origin => "https://127.0.0.1:$tls", host => "127.0.0.1:$tls");
$r = $c->sign_in('owner', undef, page => 1);
is($r->status, 303, 'sign-in over TLS');
ok($r->set_cookie('__Host-portal-tls'), '__Host- cookie');
like($c->get('documents')->body, qr/MARKalpha1/, 'list');
is($c->get("documents/$id/file")->body, "MARKalpha1\n", 'download');
is($c->upload('documents', 'x' x 200_000)->status, 303, 'deposit');

# a plain cookie of the same name is nothing here

$r = $c->get('sessions', headers => { Cookie =>
    'portal-tls=' . $c->cookie('') });
is($r->status, 303, 'cookie without __Host-');

$t->done;
