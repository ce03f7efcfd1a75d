#!/usr/bin/perl

# Tests for how pages look and speak: a site's own templates, words and
# assets; languages and time zones; compression; JSON beside HTML.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use IO::Uncompress::Gunzip qw(gunzip);
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
my $db = $t->db;
my $site = "$t->{dir}/site";

# ours, before anything is replaced

$t->run(http => 'gzip on; gzip_min_length 1; gzip_types text/css;');
my $c = $t->client(as => 'owner');
my $own = $c->get('documents')->body;
my %own = map { m{/assets/(\w+)\.[0-9a-f]{8}\.(\w+)} ? ("$1.$2" => $_) : () }
    $own =~ m{"(/[^"#]+)[#"]}g;
is(join(' ', sort keys %own), 'art.svg brand.css icons.svg logo.svg '
    . 'portal.css portal.js', 'assets of a page');

my %types = (css => 'text/css', js => 'text/javascript',
    svg => 'image/svg+xml');

for my $name (sort keys %own) {
    my $r = $c->get($own{$name});
    my ($type) = $name =~ /\.(\w+)$/;
    is($r->status, 200, "$name: status");
    is($r->header('Content-Type'), "$types{$type}; charset=utf-8",
        "$name: type");
    is($r->header('Cache-Control'), 'public, max-age=31536000, immutable',
        "$name: kept for ever");
    is($r->body, $t->read("assets/$name"), "$name: content");
    ok(!$r->header('Set-Cookie'), "$name: no cookie");
    is($t->client->get($own{$name})->status, 200, "$name: for everybody");
    is($c->get($own{$name} =~ s/\.[0-9a-f]{8}\./.00000000./r)->status, 404,
        "$name: another fingerprint");
    is($c->get($own{$name} =~ s/\.[0-9a-f]{8}\./.$&/r)->status, 404,
        "$name: nearly the name");
    is($c->post($own{$name}, {})->status, 405, "$name: POST");
    is($c->head($own{$name})->header('Content-Length'),
        length $r->body, "$name: HEAD");
    is($c->get($own{$name}, headers => { Range => 'bytes=1-3' })->body,
        substr($r->body, 1, 3), "$name: range");
    is($c->get($own{$name}, headers => { Range => 'bytes=9999999-' })
        ->status, 416, "$name: beyond the end");
}

for ('assets/portal.css', 'assets/', 'assets/../portal.key',
    'assets/%2e%2e/portal.key', 'assets/..%2fportal.key',
    $own{'portal.css'} . '/', $own{'portal.css'} . '%00')
{
    like($c->get($_, rules => 0)->status, qr/^(?:400|404)$/, "none: $_");
}

# compressed, with another token of the form each time (BREACH)

my (@tokens, @nonces, @sizes);

for (1 .. 3) {
    my $r = $c->get('documents', rules => 0,
        headers => { 'Accept-Encoding' => 'gzip' });
    is($r->header('Content-Encoding'), 'gzip', 'HTML: gzip');
    gunzip(\$r->body, \my $html) or die 'gunzip';
    my ($csrf) = $html =~ /name="csrf" value="([^"]+)"/;
    my ($nonce) = $html =~ /<script[^>]* nonce="([^"]+)"/;
    is($r->header('Content-Security-Policy') =~ /'nonce-([^']+)'/ && $1,
        $nonce, 'the nonce of the policy is that of the script');
    push @tokens, $csrf;
    push @nonces, $nonce;
    is($c->post('preferences', { theme => 'auto' }, csrf => $csrf)->status,
        303, 'the token works');
}

sub differ { my %seen = map { $_ => 1 } @_; return keys %seen == @_ }
ok(differ(@tokens), 'each page has another token');
ok(differ(map { substr $_, $_[0] // 0, 8 } @tokens), 'from its first byte');
ok(differ(@nonces), 'and another nonce');

my $r = $c->get($own{'portal.css'}, headers =>
    { 'Accept-Encoding' => 'gzip' });
gunzip(\$r->body, \my $css);
is($css, $t->read('assets/portal.css'), 'CSS: gzip');

# replaced file by file: the first folder that has one

$t->write("$site/templates/layout/footer.mustache",
    '<footer id="own">{{@own.word}} {{@nav.help}} {{site.site_name}} '
    . '<img src="{{root}}{{"own.png"|asset}}" alt=""></footer>');
$t->write("$site/locales/fr.json", '{"nav": {"help": "Secours"}, '
    . '"own": {"word": "Parole"}}');
$t->write("$site/locales/en.json", '{"own": {"word": "Word"}}');
$t->write("$site/assets/brand.css", ':root { --brand: #123456 }');
$t->write("$site/assets/own.png", 'PNG');
system 'chmod', '-R', 'a+rX', $site;
$t->write_conf(templates => [ $site ], http =>
    'gzip on; gzip_min_length 1; gzip_types text/css;');
ok($t->reload, 'the site replaces some');
$c = $t->client(as => 'owner');

my $html = $c->get('documents')->body;
like($html, qr{<footer id="own">Parole Secours Cabinet Test }, 'template');
unlike($html, qr{class="foot"}, 'instead of ours');
like($html, qr{Aller au contenu}, 'words that it does not have are ours');
like($t->client->get('sign-in', headers => { 'Accept-Language' => 'en' })
    ->body, qr{<html lang="en"}, 'English');
my ($brand) = $html =~ m{"(/[^"]*/brand\.[0-9a-f]{8}\.css)"};
isnt($brand, $own{'brand.css'}, 'another fingerprint');
is($c->get($brand)->body, ':root { --brand: #123456 }', 'its content');
is($c->get($own{'brand.css'})->status, 404, 'the old one is gone');
like($html, qr{\Q$own{'portal.css'}\E}, 'the others have stayed');
my ($png) = $html =~ m{"(/[^"]*/own\.[0-9a-f]{8}\.png)"};
is($c->get($png)->header('Content-Type'), 'image/png; charset=utf-8',
    'an asset of its own') if defined $png;
ok(defined $png, 'is named');

$t->write("$site/assets/brand.css", ':root { --brand: #654321 }');
ok($t->reload, 'changed');
my ($changed) = $c->get('documents')->body
    =~ m{"(/[^"]*/brand\.[0-9a-f]{8}\.css)"};
isnt($changed, $brand, 'a change changes the fingerprint');
is($c->get($changed)->body, ':root { --brand: #654321 }', 'and what it is');

# a mistake of the site is told by nginx -t, with its place

for ([ '{{@no.such.word}}', qr/no\.such\.word.*footer\.mustache:2/ ],
    [ '{{>no/such}}', qr{no/such.*footer\.mustache:2} ],
    [ '{{#open}}', qr/footer\.mustache:2/ ],
    [ '{{"no.css"|asset}}', qr/no\.css.*footer\.mustache:2/ ],
    [ '{{site.site_name|nopipe}}', qr/nopipe.*footer\.mustache:2/ ])
{
    $t->write("$site/templates/layout/footer.mustache", "\n$_->[0]\n");
    my ($ok, $said) = $t->check(templates => [ $site ]);
    ok(!$ok, "mistake: $_->[0]");
    like($said, $_->[1], 'its place');
}

for ([ '{"nav": {"help": }}', qr/fr\.json:1/ ], [ "{\n\"nav\": 1,\n",
    qr/fr\.json:\d/ ])
{
    $t->write("$site/locales/fr.json", $_->[0]);
    my ($ok, $said) = $t->check(templates => [ $site ]);
    ok(!$ok && $said =~ $_->[1], 'a mistake in words, and its place');
}

$t->write_conf;
$t->reload;

# languages: of somebody unknown by the browser, of a person by preference

for ([ undef, 'fr' ], [ 'en', 'en' ], [ 'en-GB,en;q=0.9', 'en' ],
    [ 'de,en;q=0.5,fr;q=0.4', 'en' ], [ 'de', 'fr' ], [ '*', 'fr' ],
    [ 'fr;q=0.1,en;q=0.9', 'en' ], [ 'en;q=0,fr', 'fr' ], [ ';;,', 'fr' ],
    [ 'x' x 3000, 'fr' ])
{
    my ($accept, $lang) = @$_;
    my $r = $t->client->get('sign-in', headers =>
        { 'Accept-Language' => $accept });
    like($r->body, qr/<html lang="$lang"/,
        'Accept-Language ' . substr($accept // 'none', 0, 30));
}

$c = $t->client(as => 'owner');
my %english = (headers => { 'Accept-Language' => 'en' });
like($c->get('documents', %english)->body, qr/<html lang="fr"/,
    'the preference counts');
is($c->post('preferences', { locale => 'en' })->status, 303, 'changed');
ok($t->wait_for(sub { $c->get('documents')->body =~ /<html lang="en"/ }, 2),
    'English');
$html = $c->get('documents')->text;
like($html, qr/Skip to|documents/i, 'words');
unlike($html, qr/Déposer|Appareils|Télécharger/, 'no French word is left');
like($c->get('documents/00000000-0000-4000-8000-000000000000')->body,
    qr/<html lang="en"/, 'errors too');
$c->post('preferences', { locale => 'fr' });
is($c->post('preferences', { locale => 'de' })->status, 422, 'no German');

# times where the reader is

my $d = $db->document(client => 'alpha', title => 'Nuit', published_at =>
    '2026-06-30 23:30:00+00');

for ([ 'Europe/Paris', '1er juil', '01:30' ], [ 'America/Martinique',
    '30 juin', '19:30' ], [ 'Pacific/Auckland', '1er juil', '11:30' ],
    [ 'UTC', '30 juin', '23:30' ])
{
    my ($zone, $day, $time) = @$_;
    $db->do('update portal.person set time_zone = ? where id = ?', $zone,
        $t->id('owner'));
    like($c->get("documents/$d->{id}")->text, qr/$day.*$time/, $zone);
    is($c->get("documents/$d->{id}", accept => 'json')->json->{published}
        =~ /T(\d\d:\d\d)/ && $1, $time, "$zone, as JSON");
}

# JSON: each page has its fields

my ($first) = $t->documents('alpha');
my %fields = (
    'documents' => [qw(q category year sort sorts years categories groups
        total all filtered empty none first next paged deposit)],
    "documents/$first->{id}" => [qw(id title name kind size date category
        deposited author published preview image replaced_by seen deletable)],
    'clients' => [qw(kind clients more next)],
    'sessions' => [qw(sessions others)],
    '' => [qw(location)],
);

for my $who (qw(owner reader admin)) {
    my $base = $who eq 'admin' ? 'c/alpha/' : '';

    for my $path (sort keys %fields) {
        next if $path eq '' && $who eq 'admin';
        my $r = $t->client(as => $who)->get($path =~ /^doc/ ? "$base$path"
            : $path, accept => 'json');
        is($r->status, 200, "$who: JSON of $path");
        like($r->header('Content-Type'), qr{^application/json}, 'its type');
        is($r->header('Vary'), 'Accept', 'beside HTML');
        is(join(' ', grep { !exists $r->json->{$_} } @{ $fields{$path} }),
            '', 'its fields');
    }
}

# and errors: RFC 9457, with the reference that a page shows too

my $nobody = $t->client;
my %errors = (
    400 => sub { $c->get('documents?q=%ff', accept => 'json') },
    401 => sub { $nobody->get('documents', accept => 'json') },
    403 => sub { $c->post_json('preferences', {}, csrf => 'x') },
    404 => sub { $c->get('nowhere', accept => 'json') },
    405 => sub { $c->post_json('sessions', {}) },
    409 => sub { $c->post_json("documents/$first->{id}/delete",
        { client => 'bravo' }) },
    411 => sub { $c->request('POST', 'preferences', accept => 'json',
        chunked => 9, body => 'x') },
    413 => sub { $c->post_json('preferences', { x => 'x' x 70_000 }) },
    415 => sub { $c->request('POST', 'preferences', accept => 'json',
        body => 'x', type => 'text/plain') },
    422 => sub { $c->post_json('preferences', { theme => 'x' }) },
);

for my $status (sort keys %errors) {
    my $r = $errors{$status}->();
    is($r->status, $status, "problem: $status");
    like($r->header('Content-Type'), qr{^application/problem\+json},
        "$status: its type");
    my $j = $r->json;
    is($j->{status}, $status, "$status: in itself");
    ok($j->{title} && $j->{type} eq 'about:blank', "$status: title, type");
    like($j->{instance}, qr/^[0-9a-f]{32}$/, "$status: reference");
    is($j->{errors}{theme}, 'theme.invalid', "$status: by field")
        if $status == 422;
}

$r = $c->get('nowhere');
like($r->text, qr/\b[0-9a-f]{8}/, 'a page shows its reference');

$t->done;
