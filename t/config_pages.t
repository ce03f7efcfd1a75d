#!/usr/bin/perl

# Tests for nginx -t: mistakes in pages, templates, words and values.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new(db => 0);
my $dir = $t->dir;

# pages

page('POSTS /x x', qr/invalid method "POSTS"/);
page('HEAD /x x', qr/invalid method "HEAD"/);
page('GET /x', qr/needs a method, a path and a name|number of arguments/);
page('GET x sessions template=-', qr/"x": invalid path/);
page('GET /x/ sessions template=-', qr/invalid path/);
page('GET //x sessions template=-', qr/invalid path/);
page('GET /X sessions template=-', qr/invalid path/);
page('GET /:name sessions template=-', qr/invalid path/);
page('GET /:id/:id/:id/:id/:id sessions template=-', qr/invalid path/);
page('GET /x sessions access=clients', qr/unknown access level "clients"/);
page('GET /x sessions action=fly', qr/unknown action "fly"/);
page('GET /x sessions body=x', qr/invalid parameter "body=x"/);
page('GET /x sessions tempate=a', qr/invalid parameter "tempate=a"/);
page('GET /x - access=any', qr/neither a page function, a template nor/);
page('POST /x - access=any', qr/neither a page function/);
page('POST /x - template=auth/sign-in', qr/neither a page function nor/);
page('GET /x - action=password template=auth/sign-in access=public',
    qr/action that is not of GET/);
page('POST /x - action=file', qr/"\/x" has an action/);
page('POST /x - action=upload access=client template=documents/index',
    qr/action that needs a page function/);
page('POST /x document_deposit action=upload template=-',
    qr/action that needs a template/);
page('GET /x - action=file access=public', qr/action that cannot be public/);
page('GET /x sessions template=nothing/here', qr/template "nothing\/here"/);
page('GET /x sessions template=../key', qr/template "\.\.\/key"/);
right('a page replaced', { pages =>
    'portal_page GET /sign-in - access=public template=auth/sign-in;' });

# templates, words, assets of the site

for (
    [ 'unclosed', '{{#a}}x', qr/in \S+site\.mustache:1/ ],
    [ 'not opened', "\n\n{{/a}}", qr/in \S+site\.mustache:3/ ],
    [ 'missing partial', '{{>layout/nothing}}', qr/layout\/nothing/ ],
    [ 'partial of itself', '{{>site}}', qr/in \S+site\.mustache:1/ ],
    [ 'missing word', "x\n{{\@no.such.word}}", qr/no\.such\.word.*mustache:2/ ],
    [ 'unknown pipe', '{{a|fly}}', qr/fly.*in \S+site\.mustache:1/ ],
    [ 'missing asset', '{{"nothing.css"|asset}}', qr/nothing\.css/ ],
    [ 'open tag', '{{a', qr/in \S+site\.mustache:1/ ],
) {
    my ($what, $text, $message) = @$_;
    $t->write('own/templates/site.mustache', $text);
    wrong("template: $what", { templates => ["$dir/own"],
        pages => 'portal_page GET /x sessions template=site;' }, $message);
}

$t->write('own/templates/site.mustache', '{{>layout/head}}');
right('a template of the site', { templates => ["$dir/own"],
    pages => 'portal_page GET /x - access=public template=site;' });

unlink "$dir/templates/errors/413.mustache";
wrong('missing error page', {}, qr/errors\/413/);
system 'cp', $t->top . '/conf/templates/errors/413.mustache',
    "$dir/templates/errors/";

wrong('locale', { locales => 'french' }, qr/invalid locale "french"/);
wrong('three locales', { locales => 'fr en de' }, qr/invalid locale "de"/);
wrong('locale without words', { locales => 'fr de' },
    qr/no words for locale "de"/);
wrong('locale twice', { portal => 'portal_locale en;' }, qr/is duplicate/);

$t->write('own/locales/en.json', "{\n\"a\": 1,\n}");
wrong('words that are no JSON', { templates => ["$dir/own"] },
    qr/in \S+en\.json:\d/);
unlink "$dir/own/locales/en.json";

wrong('value that is not UTF-8', { set => { site_name => "\xff" } },
    qr/portal_set "site_name" is not UTF-8/);

$t->done;


sub right {
    my ($what, $options) = @_;
    my ($good, $output) = $t->check(%$options);
    ok($good, $what) or diag($output);
    return;
}


# nginx -t fails, its message names a file and a line, and is that one.
sub wrong {
    my ($what, $options, $message, $secret) = @_;
    my ($good, $output) = $t->check(%$options);

    ok(!$good, "wrong: $what");
    my ($line) = grep { /\[emerg\]/ } split /\n/, $output;
    like($line // $output, $message, 'its message');
    like($line // $output, qr{(?:in|of|"|:) ?"?/\S+"?:\d+}, 'file and line');
    unlike($output, $secret, 'and no secret') if $secret;
    return;
}


sub page {
    my ($page, $message) = @_;
    wrong("portal_page $page", { pages => "portal_page $page;" }, $message);
    return;
}
