#!/usr/bin/perl

# Tests for headers that would make two requests of one (S-70): twice what
# may be there once; and for names of hosts that are not the portal's.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $port = $t->free_port;

# as docs/operations.md has it: whatever has another name ends elsewhere
my $names = sub {
    my ($listen, $tls) = @_;
    return "} server { listen 127.0.0.1:$listen default_server;
        server_name _; $tls return 421;";
};

$t->run(servers => [
    { portals => [ {} ], server => 'server_name www.example.com;', site => $names->($t->port,
        '') },
    { portals => [ {} ], port => $port, tls => 1,
        server => 'server_name www.example.com;', site => $names->("$port ssl", "ssl_certificate $t->{dir}/tls.crt;
            ssl_certificate_key $t->{dir}/tls.key;") },
]);

my $c = $t->client(as => 'owner', host => 'www.example.com');
my $form = 'application/x-www-form-urlencoded';

is($c->get('documents')->status, 200, 'once each');

# twice: the page of a 400, and nothing is done

my $themes = sub { $t->db->value(q{select theme from portal.person
    where id = ?}, $t->id('owner')) };
my $theme = $themes->();

for (
    [ 'Content-Type' => $form, $form ], [ 'Content-Type' => $form, 'text/x' ],
    [ 'content-type' => 'application/json', $form ],
    [ 'Authorization' => 'Bearer a', 'Bearer b' ],
) {
    my ($name, @values) = @$_;
    my $r = $c->post('preferences', { theme => 'dark' },
        headers => { $name => \@values });
    is($r->status, 400, "$name: @values");
    like($r->body, qr/<main/, 'our page') if $name =~ /content/i;
    is($c->get('documents', headers => { $name => \@values })->status, 400,
        'and so a GET');
}

is($themes->(), $theme, 'nothing was done');
my $r = $c->upload('documents', "x\n", headers => { 'X-Portal-File' =>
    'a.txt', 'Content-Type' => [ 'text/plain', 'multipart/form-data; '
    . 'boundary=b' ] });
is($r->status, 400, 'a deposit of two types');
is_deeply([ $t->temp_files ], [], 'is not read');

for (
    [ Host => 'www.example.com', 'www.example.com' ],
    [ Host => 'www.example.com', 'evil.example' ],
    [ 'Content-Length' => 0, 0 ],
) {
    my ($name, @values) = @$_;
    $r = $c->request('POST', 'preferences', rules => 0, type => $form,
        headers => { $name => \@values });
    is($r->status, 400, "$name twice");
    $c->disconnect;
}

$c->connect->send($c->bytes('POST', 'preferences', type => $form,
    headers => { 'Transfer-Encoding' => 'chunked', 'Content-Length' => 5 })
    . "0\r\n\r\n");
is($c->recv('POST')->status, 400, 'a length and chunks');
ok($c->closed, 'and nothing more is read');
$c->disconnect;

# another host, in clear and beside the name that TLS has asked for

for my $host ('evil.example', 'www.example.com.evil.example') {
    $r = $c->get('documents', rules => 0, headers => { Host => $host });
    is($r->status, 421, "Host: $host");
    unlike($r->body, qr/MARK/, 'shows nothing');
}

my $s = $t->client(as => 'owner', %{ $t->{portals}[1] },
    host => 'www.example.com');
my $cookie = $s->cookie_name('') . '=' . $s->cookie('');
my @curl = ('-o', "$t->{dir}/body", '-w', '%{http_code}', '-H',
    "Cookie: $cookie", '--resolve', "www.example.com:$port:127.0.0.1",
    '--resolve', "evil.example:$port:127.0.0.1");

SKIP: {
    skip 'no curl', 3 if !defined $t->curl('--version');
    my $path = $s->url('documents');
    is($t->curl(@curl, "https://www.example.com:$port$path"), 200,
        'TLS: its name in both');
    is($t->curl(@curl, '-H', 'Host: evil.example',
        "https://www.example.com:$port$path"), 421,
        'TLS for its name, another Host');
    is($t->curl(@curl, "https://evil.example:$port$path"), 421,
        'TLS for another name');
}

$t->done;
