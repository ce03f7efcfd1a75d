#!/usr/bin/perl

# Tests for forms, queries and JSON that cannot be read: of another type, with
# names that come twice, arrays, bytes that are no text (S-16, S-28, S-70).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
$t->run;

my $form = 'application/x-www-form-urlencoded';
my $o = $t->client(as => 'owner');
my $before = $t->db->checksum;

# S-28: types

for my $type ('text/plain', 'multipart/form-data; boundary=x', '',
    'application/x-www-form-urlencodedx', 'application/jsonp', 'text/xml')
{
    is($o->request('POST', 'preferences', body => 'locale=en',
        headers => { 'Content-Type' => $type || undef })->status, 415,
        "form of type '$type'");
}

is($o->request('POST', 'documents', body => 'x',
    headers => { 'X-Portal-Csrf' => $o->csrf })->status, 415,
    'upload without a type');

# S-16: names that come twice, arrays, bytes that are no text

my %bad = (
    'twice' => 'locale=fr&locale=en', 'array' => 'locale[]=fr',
    'array by name' => 'locale[x]=fr', 'NUL' => 'locale=fr%00',
    'NUL in a name' => 'a%00=fr', 'not UTF-8' => 'x=%ff',
    'raw not UTF-8' => "x=\xff", 'half a percent' => 'x=%4',
    'no hex' => 'x=%zz', 'surrogate' => 'x=%ed%a0%80',
    'overlong' => 'x=%c0%80',
    'too many' => join('&', map { "f$_=1" } 1 .. 65),
);

for my $path ('preferences', 'sign-in') {
    for my $what (sort keys %bad) {
        is($o->request('POST', $path, type => $form,
            body => 'csrf=' . $o->csrf . "&$bad{$what}")->status, 400,
            "form to /$path: $what");
    }
}

for my $what (sort keys %bad) {
    next if $what eq 'raw not UTF-8' || $what eq 'too many';
    is($o->get("documents?$bad{$what}")->status, 400, "query: $what");
}

for (
    [ 'twice' => '{"locale":"fr","locale":"en"}' ],
    [ 'array' => '{"locale":["fr"]}' ], [ 'object' => '{"locale":{"a":1}}' ],
    [ 'no object' => '["fr"]' ], [ 'scalar' => '"fr"' ],
    [ 'rest' => '{"locale":"fr"}x' ], [ 'cut' => '{"locale":"fr"' ],
    [ 'empty' => '' ], [ 'NUL' => '{"locale":"f\u0000r"}' ],
    [ 'not UTF-8' => "{\"locale\":\"\xff\"}" ],
    [ 'deep' => '[' x 30000 ],
    [ 'too many' => '{' . join(',', map { qq{"f$_":1} } 1 .. 65) . '}' ],
) {
    my ($what, $body) = @$_;
    is($o->post_json('preferences', $body,
        headers => { 'X-Portal-Csrf' => $o->csrf })->status, 400,
        "JSON: $what");
}

is($t->db->checksum, $before, 'no row has changed');

# and what can be read

for my $type ("$form; charset=UTF-8", uc $form) {
    is($o->post('preferences', { locale => 'fr' },
        headers => { 'Content-Type' => $type })->status, 303, $type);
}

is($o->post_json('preferences', { locale => 'fr' })->status, 200, 'JSON');
is($o->post_json('preferences', { locale => undef, theme => 'dark' })->status,
    400, 'JSON with a null');

# a sign-in is a form like any other

my $json = $t->client;
$json->get('sign-in');
my $r = $json->post_json('sign-in', { email => $t->email('owner'), password => $t->{password} });
is($r->status, 200, 'JSON: sign-in');
is($r->json->{location}, '/espace-client/', 'JSON: where it leads');
is($json->get('documents')->status, 200, 'JSON: signed in');

$t->done;
