#!/usr/bin/perl

# Tests for forms that others send: where they come from, and whose token
# they carry, for every page that writes (S-27, S-28).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $own = $t->db->document(client => 'alpha', title => 'Deposit',
    deposited => 't', author_id => $t->id('owner'));

$t->run;

my $c = $t->client(as => 'owner');
my $session = $t->db->value('select id from portal.session');
$t->session_for('owner');

my $other = $t->client(as => 'owner');
my $anonymous = $t->client;
$anonymous->get('sign-in');

my $form = 'application/x-www-form-urlencoded';
my $boundary = 'aaaaaaaaaaaaaaaa';

# every page that writes: path, and a body that would be done

my @routes = (
    [ 'preferences', sub { form(theme => 'dark', csrf => $_[0]) } ],
    [ 'c/alpha/preferences', sub { form(theme => 'dark', csrf => $_[0],
        client => 'alpha') } ],
    [ "sessions/$session/revoke", sub { form(csrf => $_[0]) } ],
    [ 'sessions/revoke-others', sub { form(csrf => $_[0]) } ],
    [ "documents/$own->{id}/delete", sub { form(csrf => $_[0]) } ],
    [ "c/alpha/documents/$own->{id}/delete", sub { form(csrf => $_[0],
        client => 'alpha') } ],
    [ 'documents', sub { Portal::Client::multipart($boundary,
        defined $_[0] ? [ csrf => $_[0] ] : (),
        [ files => "text\n", 'a.txt' ]) },
        "multipart/form-data; boundary=$boundary" ],
    [ 'documents', sub { "raw text\n" }, 'text/plain', 'header' ],
    [ 'sign-out', sub { form(csrf => $_[0]) } ],
    [ 'sign-in', sub { form(email => $t->email('bob'),
        password => $t->{password}, csrf => $_[0]) } ],
);

# where it comes from: Sec-Fetch-Site, Origin, whether it may

my $origin = $c->{origin};
my @origins = (
    [ 'same-origin', $origin, 1 ], [ 'same-origin', undef, 1 ],
    [ 'none', $origin, 1 ], [ undef, $origin, 1 ],
    [ undef, uc $origin, 1 ],
    [ 'cross-site', $origin, 0 ], [ 'cross-site', 'https://evil.example', 0 ],
    [ 'cross-site', undef, 0 ], [ 'same-site', $origin, 0 ],
    [ 'same-site', undef, 0 ], [ '', $origin, 0 ], [ 'x', $origin, 0 ],
    [ 'same-origin, none', $origin, 0 ], [ 'SAME-ORIGIN', $origin, 0 ],
    [ undef, undef, 0 ], [ undef, 'null', 0 ], [ undef, '', 0 ],
    [ undef, 'https://evil.example', 0 ], [ undef, "$origin.evil.example",
        0 ], [ undef, "${origin}1", 0 ], [ undef, "$origin/", 0 ],
    [ undef, substr($origin, 0, -1), 0 ],
    [ undef, $origin =~ s/^http/https/r, 0 ],
    [ undef, $origin =~ s{//}{//user@}r, 0 ],
);

# whose token it carries; the first is right

my $token = $c->csrf;
my @tokens = (
    [ 'its own' => $token ], [ 'none' => undef ], [ 'empty' => '' ],
    [ 'garbage' => 'x' x 64 ], [ 'cut' => substr $token, 0, 63 ],
    [ 'longer' => "${token}A" ],
    [ 'changed' => substr($token, 0, 63) . ($token =~ /A$/ ? 'B' : 'A') ],
    [ 'of another session' => $other->csrf ],
    [ 'of nobody' => $anonymous->csrf ],
    [ 'the session itself' => $c->cookie('') ],
);

my $before = $t->db->checksum;
my $files = join '', sort qx{find '$t->{dir}/files' -type f};

for my $route (@routes) {
    my ($path, $body, $type, $header) = @$route;

    for my $o (@origins) {
        my ($site, $from, $may) = @$o;
        next if $may;
        refused($route, $site, $from, 'its own', $token);
    }

    for my $o ([ 'same-origin', $origin ], [ undef, $origin ]) {
        refused($route, @$o, @{ $tokens[$_] }) for 1 .. $#tokens;
    }
}

is($t->db->checksum, $before, 'no row has changed');
is(join('', sort qx{find '$t->{dir}/files' -type f}), $files,
    'no file was kept');

# somebody unknown: the token of the cookie of that form

for my $route ($routes[-1]) {
    my $d = $t->client(from => '127.0.0.2');
    $d->get('sign-in');
    is(send_to($d, $route, 'same-origin', $origin, $anonymous->csrf), 403,
        'sign-in with the token of another browser');
    is(send_to($d, $route, 'same-origin', $origin, $token), 403,
        'sign-in with the token of a session');
    $d->set_cookie('pre', undef);
    is(send_to($d, $route, 'same-origin', $origin, $anonymous->csrf), 403,
        'sign-in without the cookie');
    is($t->db->checksum, $before, 'no attempt was made');
}

# what may: the same requests are done

for my $o (grep { $_->[2] } @origins) {
    is(send_to($c, $routes[0], @$o[ 0, 1 ], $token), 303,
        'done: ' . join ' ', map { $_ // '-' } @$o[ 0, 1 ]);
}


for my $route (@routes) {
    $c = $t->client(as => 'owner');
    my $status = send_to($c, $route, 'same-origin', $origin, $c->csrf);

    # the deposit is taken back by the first of the two
    my $want = $route->[0] =~ m{^c/alpha/.*delete} ? 404 : 303;
    is($status, $want, "done: /$route->[0]");
}

# a token is good for its session, as often as wanted, in a header too

$c = $t->client(as => 'owner');
$token = $c->csrf;
is($c->post('preferences', { theme => 'dark' }, csrf => $token)->status, 303,
    'a token') for 1, 2;
is($c->request('POST', 'preferences', type => $form, body => 'theme=light',
    headers => { 'X-Portal-Csrf' => $token })->status, 303, 'in a header');
is($c->post_json('preferences', { theme => 'auto' }, csrf => $token)->status,
    200, 'in JSON');
is($c->post_json('preferences', { theme => 'auto' }, csrf => undef)->status,
    403, 'none in JSON');
is($c->post('preferences', { theme => 'dark' }, csrf => '', headers => {
    'X-Portal-Csrf' => $token })->status, 403, 'the field counts first');
is($c->get("preferences?csrf=$token")->status, 405, 'never by GET');
is($c->request('POST', "preferences?csrf=$token")->status, 403,
    'nor in the query');

# S-28: nothing changes by asking, whatever is asked

$before = $t->db->checksum;

for my $path (map { $_->[0] } @routes, [''], ['clients'], ['sessions'],
    ['documents?sort=unread'])
{
    for my $method (qw(GET HEAD OPTIONS)) {
        $c->request($method, $path);
    }
}

is($t->db->checksum, $before, 'no row has changed');

$t->done;


sub form {
    my %fields = @_;
    delete $fields{csrf} if !defined $fields{csrf};
    return Portal::Client::form(\%fields);
}


sub send_to {
    my ($client, $route, $site, $from, $csrf) = @_;
    my ($path, $body, $type, $header) = @$route;
    my %headers = ('Sec-Fetch-Site' => $site, 'Origin' => $from);

    if ($header) {
        $headers{'X-Portal-Csrf'} = $csrf;
        $headers{'X-Portal-File'} = 'raw.txt';
    }

    return $client->request('POST', $path, headers => \%headers,
        type => $type // $form, body => $body->($csrf))->status;
}


sub refused {
    my ($route, $site, $from, $whose, $csrf) = @_;

    is(send_to($c, $route, $site, $from, $csrf), 403, sprintf
        '/%s: site %s, origin %s, token %s', $route->[0], $site // '-',
        $from // '-', $whose);
    return;
}
