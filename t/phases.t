#!/usr/bin/perl

# Tests for what else nginx does with a request: other modules' access
# rules, subrequests, error pages of both sides, redirects inside the
# server.  The gate is never passed by, and nothing of the site is changed
# (T09, T29, T30, T32, T35, T68).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my ($id) = map { $_->{id} } ($t->documents('alpha'))[1];
my $echo = $t->echo;

$t->write('html/site.html', "site page\n");
$t->write('html/error.html', "site error\n");
$t->write('html/list.shtml', 'before[<!--#include virtual='
    . '"/espace-client/documents" -->]between['
    . "<!--#include virtual=\"/espace-client/documents/$id/file\" -->]after");
$t->write('html/any.shtml', '[<!--#include virtual="/any/documents" -->]');
$t->write('html/absent.shtml',
    '[<!--#include virtual="/espace-client/nothing" -->]');
$t->write('html/espace-client/stray.html', "stray\n");
$t->write('htpasswd', "user:{PLAIN}pass\n");

my $errors = 'error_page 400 401 403 404 405 411 413 415 429 500 502 503 504
    =299 /error.html;';

$t->run(
    http => "$errors recursive_error_pages on;
        limit_req_zone \$binary_remote_addr zone=slow:1m rate=1r/m;",
    servers => [ {
        portals => [
            { portal => 'client_max_body_size 2m;' },
            { mount => '/any/', portal => 'satisfy any; allow all;' },
            { mount => '/deny/', portal => 'satisfy any; deny all;' },
            { mount => '/both/', portal => 'deny 127.0.0.9; allow all;' },
            { mount => '/basic/', portal => "satisfy any;
                auth_basic closed; auth_basic_user_file $t->{dir}/htpasswd;"
            },
            { mount => '/except/', portal => 'limit_except GET
                { deny all; }' },
            { mount => '/if/', portal => 'if ($arg_a) { set $b 1; }
                if ($arg_c) { return 204; }' },
            { mount => '/inside/', portal => 'internal;' },
            { mount => '/mirror/', portal => 'mirror /copy;' },
            { mount => '/slow/', portal => 'limit_req zone=slow;' },
            { mount => '/pages/', portal => "error_page 404 /error.html;
                error_page 413 500 =200 /site.html;" },
            { mount => '/rewritten/', portal =>
                'rewrite ^/rewritten/old /rewritten/sign-in last;
                 rewrite ^/rewritten/out /site.html last;' },
            { mount => '/return/', portal => 'return 403;' },
        ],
        site => "
            location /app/ {
                auth_request /espace-client/sessions;
                proxy_pass http://127.0.0.1:$echo;
            }
            location /staff/ {
                auth_request /espace-client/c/bravo/documents;
                proxy_pass http://127.0.0.1:$echo;
            }
            location /try/ { try_files \$uri /espace-client/documents; }
            location /named/ { try_files \$uri \@portal; }
            location \@portal { rewrite ^ /espace-client/sign-in last; }
            location /post/ { post_action /espace-client/documents;
                return 200 post; }
            location /mirrored/ { mirror /espace-client/documents;
                proxy_pass http://127.0.0.1:$echo; }
            location /missing/ { error_page 404 /espace-client/documents; }
            location /intercept/ { error_page 404 = \@portal;
                proxy_intercept_errors on;
                proxy_pass http://127.0.0.1:$echo/; }
            location = /copy { internal; proxy_pass http://127.0.0.1:$echo; }
            location ~ \\.shtml\$ { ssi on; }
        " } ]);

my $owner = $t->client(as => 'owner');
my $nobody = $t->client;
my $admin = $t->client(as => 'admin');
my $r;

# T32: other rules never open it

for (
    [ '/any/documents', 303, 200 ], [ '/deny/documents', 303, 200 ],
    [ '/both/documents', 303, 200 ], [ '/basic/documents', 303, 200 ],
    [ '/any/nothing', 404, 404 ], [ '/any/sign-in', 200, undef ],
) {
    my ($path, $unknown, $known) = @$_;
    $r = $nobody->get($path);
    like($r->status, $path =~ /deny|basic/ ? qr/^(?:40[13]|303)$/
        : qr/^$unknown$/, "$path by nobody");
    unlike($r->body, qr/MARK|site error/, 'shows nothing');
    is($owner->get($path)->status, $known, "$path by the owner")
        if $known;
}

is($t->client(as => 'owner', from => '127.0.0.9')->get('/both/documents')
    ->status, 403, 'a rule of the site closes it');
is($nobody->get('/any/documents', accept => 'json')->status, 401,
    'satisfy any: JSON');
is($nobody->post('/any/preferences', {}, csrf => undef)->status, 401,
    'and a form');
is($nobody->request('POST', '/any/documents', body => 'x' x 100_000)->status,
    401, 'and a body');
is($owner->get("/any/documents/$id/file")->body, "MARKalpha1\n",
    'and a download');

# limit_except, if, internal, return, mirror

is($owner->get('/except/documents')->status, 200, 'limit_except: GET');
is($nobody->get('/except/documents')->status, 303, 'by nobody');
is($owner->post('/except/preferences', { theme => 'dark' })->status, 403,
    'limit_except: POST');
is($nobody->get("/if/documents$_")->status, 303, 'if') for '', '?a=1';
is($owner->get("/if/documents$_")->status, 200, 'if') for '', '?a=1';
is($owner->post('/if/preferences?a=1', { theme => 'dark' })->status, 303,
    'form inside of if');
is($owner->get('/if/documents?c=1', rules => 0)->status, 204,
    'return inside of if');
like($owner->get('/inside/documents')->status, qr/^404$/, 'internal');
is($owner->get('/return/documents')->status, 403, 'return');

is($owner->get('/mirror/documents')->status, 200, 'mirror: GET');
is($owner->post('/mirror/preferences', { theme => 'dark' })->status, 303,
    'mirror: form');

$r = $owner->upload('/mirror/documents', "mirrored\n", name => 'm.txt');
is($r->status, 303, 'mirror: deposit');

is($nobody->request('POST', '/mirror/documents', body => 'x' x 200_000)
    ->status, 401, 'mirror: nobody');
is_deeply([ $t->temp_files ], [], 'nothing is left');

is($owner->get('/slow/documents')->status, 200, 'limit_req');
$r = $owner->get('/slow/documents');
is($r->status, 503, 'too many');
like($r->body, qr/<main.*503/s, 'in our page');

# T30: the site's error pages do not replace ours, nor ours the site's

for (
    [ nobody => GET => 'nothing', 404 ], [ nobody => DELETE => '', 405 ],
    [ nobody => POST => 'documents', 401 ],
    [ admin => GET => 'c/nobody/documents', 404 ],
    [ owner => POST => 'preferences', 403 ],
    [ owner => GET => 'documents?year=x', 400 ],
    [ nobody => GET => '%ff', 400 ],
) {
    my ($who, $method, $path, $status) = @$_;
    my $c = $who eq 'nobody' ? $nobody : $who eq 'admin' ? $admin : $owner;
    $r = $c->request($method, $path);
    is($r->status, $status, "our $status");
    like($r->body, qr/<main/, 'is ours');
    unlike($r->body, qr/site error/, 'and not the site\'s');
}

$r = $owner->upload('documents', 'x' x (3 * 1024 * 1024));
is($r->status, 413, 'our 413');
like($r->body, qr/<main.*413/s, 'is ours');
is($owner->get('/pages/nothing')->status, 404, 'error_page inside it');
like($owner->get('/pages/nothing')->body, qr/<main/, 'is not asked');

for my $path ('/nothing', '/nothing/espace-client/') {
    $r = $nobody->get($path);
    is($r->status, 299, "the site's 404 of $path");
    is($r->body, "site error\n", 'is the site\'s');
}

is($nobody->request('POST', '/site.html', body => 'x')->body, "site error\n",
    'and its 405');

# T09: subrequests

is($nobody->get('/app/x')->body, "site error\n", 'auth_request: nobody');
like($owner->get('/app/x')->body, qr/^ECHO/, 'auth_request: somebody');
is($owner->get('/staff/x')->body, "site error\n",
    'auth_request: of another client');
like($t->client(as => 'bob')->get('/staff/x')->body, qr/^ECHO/,
    'auth_request: of this');
$r = $owner->request('POST', '/app/x', body => 'hello');
like($r->body, qr/^ECHO\nPOST.*hello$/s, 'auth_request: a body goes on');

$r = $owner->get('/list.shtml');
is($r->status, 200, 'SSI');
like($r->body, qr/^before\[<!doctype.*MARKalpha0.*\]between\[MARKalpha1\n\]
    after$/xs, 'in order');
is($r->header('Set-Cookie'), undef, 'no cookie of a subrequest');

for my $c ($nobody, $t->client(as => 'bob')) {
    unlike($c->get('/list.shtml')->body, qr/MARKalpha/, 'SSI: not theirs');
    unlike($c->get('/any.shtml')->body, qr/MARKalpha/, 'nor this way');
}

like($owner->get('/absent.shtml')->body, qr/^\[/, 'SSI: no such page');
$owner->get('/list.shtml') for 1 .. 20;

# an include that waits, and a reader that leaves

for (1 .. 10) {
    my $c = $t->client(as => 'owner');
    $c->connect->send($c->bytes('GET', '/list.shtml'));
    $c->abort;
}

# T29: from elsewhere in the server

like($owner->get('/try/x')->body, qr/MARKalpha0/, 'try_files');
is($nobody->get('/try/x')->status, 303, 'try_files: nobody');
is($t->client->sign_in('reader', undef, next => '/try/x')->location,
    '/espace-client/', 'and an address of the site is no next');
is($nobody->get('/named/x')->status, 200, 'named location');
like($owner->get('/missing/x')->body, qr/MARKalpha0/, 'error_page');
is($nobody->get('/missing/x')->status, 303, 'error_page: nobody');
is($owner->request('POST', '/missing/x', body => 'x' x 100_000)->status, 200,
    'error_page of a POST becomes a GET');
is($nobody->get('/post/x')->body, 'post', 'post_action');
is($owner->get('/post/x')->body, 'post', 'post_action: somebody');
like($owner->get('/mirrored/x')->body, qr/^ECHO/, 'mirrored here');
is($owner->request('POST', '/mirrored/x', body => 'a' x 300_000)->status,
    200, 'with a body');
is($nobody->get('/rewritten/old')->status, 200, 'rewrite inside');
is($nobody->get('/rewritten/out')->body, "site page\n", 'rewrite out of it');
is($nobody->get('/espace-client/stray.html')->status, 404,
    'no file of the site below the mount');
is($nobody->get("/espace-client/_error/$_")->status, 404,
    'pages of errors cannot be asked for') for 404, 413, 500;

# and the site is as it was

$r = $nobody->get('/site.html');
is($r->body, "site page\n", 'page of the site');
is($r->header($_), undef, "no $_") for 'Content-Security-Policy',
    'X-Content-Type-Options', 'Vary', 'Set-Cookie', 'Cache-Control';

$t->done;
