#!/usr/bin/perl

# The documentation says what the code says: directives with their contexts,
# arguments, parameters and defaults; actions, pipes and messages; and that
# links lead somewhere and named files are there.

use strict;
use warnings;

use Cwd qw(abs_path);
use Encode qw(decode);
use File::Basename qw(dirname);
use File::Find;
use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)'
    for qw(output failure_output todo_output);

my (@docs, %text, %anchors, $source, %literals);

push @docs, grep { -f } 'README.md', 'CHANGELOG.md', glob 'docs/*.md';
$text{$_} = slurp($_) for @docs;

sub slurp { local (@ARGV, $/) = @_; return decode('UTF-8', scalar <>) }

# body of the C function of this name
sub body {
    my ($text, $name) = @_;
    return $text =~ /^\Q$name\E\([^;{]*?\)\n\{\n(.*?)^\}/ms ? $1 : '';
}

# "30m", "64m", "12 * 3600", "300 * 1000": a number of seconds, bytes, ms
my %unit = (ms => 0.001, s => 1, h => 3600, d => 86400, k => 1024);

sub seconds {
    my ($value) = @_;
    return $1 * ($2 eq 'm' ? 60 : $unit{$2}) if $value =~ /^(\d+)(ms|[smhd])$/;
    return $value;
}

sub bytes {
    my ($value) = @_;
    return $1 * ($2 eq 'm' ? 1024 ** 2 : 1024) if $value =~ /^(\d+)([km])$/;
    return $value;
}

sub product {
    my $n = 1;
    $n *= $_ for $_[0] =~ /\d+/g;
    return $n;
}

# sections of the reference: name => { syntax, default, context, params }
my %doc;
my $reference = $text{'docs/directives.md'} // '';

while ($reference =~ /^### (portal\w*)\n(.*?)(?=^##|\z)/gms) {
    my ($name, $text) = ($1, $2);
    my %d = (text => $text);

    ($d{$_}) = $text =~ /^\*\*\u$_:\*\* (.*?)\\?$/m
        for qw(syntax default context);

    while ($text =~ /^\| `(\w+)=` \| ([^|]*?) \|/gm) {
        $d{params}{$1} = $2;
    }

    ok(!$doc{$name}, "$name is described once");
    $doc{$name} = \%d;
}

# the table of commands

my $conf = slurp('src/http/ngx_http_portal_conf.c');
my ($table) = $conf =~ /ngx_http_portal_commands\[\] = \{(.*?)^\};/ms;
my (%command, %context);

$table =~ s/#if \(PORTAL_TEST\).*?#endif//s;
@context{qw(MAIN SRV LOC)} = qw(http server location);

while ($table =~ /ngx_string\("(\w+)"\),\s*([\w|\s]+),\s*(\w+)/g) {
    my ($name, $flags, $handler) = ($1, $2, $3);

    $command{$name} = {
        handler => $handler,
        context => join(', ', map { "`$context{$_}`" }
            grep { $flags =~ /HTTP_${_}_CONF/ } qw(MAIN SRV LOC)),
        args => $flags =~ /NGX_CONF_(\w+)/ ? $1 : '',
    };
}

is(join(' ', sort keys %doc), join(' ', sort keys %command),
    'the reference has every directive and no other');

my $parsers = join '', map { slurp($_) } glob 'src/http/ngx_http_portal_conf*.c';

for my $name (sort keys %command) {
    my ($c, $d) = ($command{$name}, $doc{$name} || { text => '' });

    is($d->{context} // '', $c->{context}, "$name: context");

    # arguments: words of the syntax, those in brackets may be left out

    my $syntax = $d->{syntax} // '';
    ok($syntax =~ /^`\Q$name\E (.*);`$/, "$name: form of the syntax");

    my $args = $1 // '';
    my $open = $args =~ s/ \.\.\.//;
    my @optional = $args =~ /\[[^\]]*\]/g;
    (my $rest = $args) =~ s/\[[^\]]*\]//g;
    my $needed = () = $rest =~ /\S+/g;

    my %ok = (
        FLAG => $args eq 'on|off',
        TAKE1 => $needed == 1 && !@optional && !$open,
        TAKE2 => $needed == 2 && !@optional && !$open,
        '1MORE' => $needed + @optional >= 1 && (@optional || $open),
        '2MORE' => $needed >= 2 && (@optional || $open),
    );

    ok($ok{$c->{args}}, "$name: arguments ($c->{args})");

    # parameters: those that its parser knows, each with a default or a text

    my $parser = body($parsers, $c->{handler})
        . body($parsers, "$c->{handler}_param");
    my %known = map { $_ => 1 } $parser =~ /"(\w+)="/g;
    my %shown = map { $_ => 1 } map { /^\[(\w+)=/ } @optional;

    is(join(' ', sort keys %shown), join(' ', sort keys %known),
        "$name: parameters");

    my @silent = grep { $d->{text} !~ /`$_=/ } sort keys %known;
    is("@silent", '', "$name: every parameter is explained");
}

# defaults: of the merging

my $merge = body($conf, 'ngx_http_portal_merge_loc_conf');
my %default;

while ($merge =~ /ngx_conf_merge_\w+\(conf->(\w+), prev->\w+,\s*([^;]+?)\);/g) {
    $default{$1} = $2;
}

delete $default{test_open};

sub documented {
    my ($directive, $param) = @_;
    my $d = $doc{$directive} || {};
    return $1 if ($d->{default} // '') =~ /\b$param=([\w]+)/;
    return $d->{params}{$param} // 'nothing';
}

my %checked;

for (qw(idle absolute staff_idle staff_absolute)) {
    is(seconds(documented('portal_session', $_)), product($default{$_}),
        "portal_session: default of $_");
    $checked{$_} = 1;
}

for (qw(memory ops threads queue)) {
    is(bytes(documented('portal_password', $_)), product($default{$_}),
        "portal_password: default of $_");
    is($doc{portal_password}{params}{$_} // '',
        documented('portal_password', $_), "portal_password: $_ twice");
    $checked{$_} = 1;
}

is(documented('portal_session', 'secure'), $default{secure} ? 'on' : 'off',
    'portal_session: default of secure');
is($doc{portal_regex_ok}{default} // '', '`portal_regex_ok '
    . ($default{regex_ok} ? 'on' : 'off') . ';`', 'default of portal_regex_ok');
is($doc{portal_templates}{default} // '',
    $default{templates} eq 'NULL' ? "\x{2014}" : '', 'default of portal_templates');

my ($both) = slurp('src/http/ngx_http_portal_views.c')
    =~ /both\[\] = \{ (.*?) \}/;
is($doc{portal_locale}{default} // '',
    '`portal_locale ' . join(' ', $both =~ /"(\w+)"/g) . ';`',
    'default of portal_locale');

$checked{$_} = 1 for qw(secure regex_ok templates locales);
is(join(' ', grep { !$checked{$_} } sort keys %default), '',
    'every default of a location is compared');

for (qw(portal_zone portal_database portal_key_file portal portal_storage
        portal_page portal_set))
{
    is($doc{$_}{default} // '', "\x{2014}", "$_ has no default");
}

# and of the parsers

my $database = body($parsers, 'ngx_http_portal_conf_database');

while ($database =~ /db->(\w+) = ([\d *]+);/g) {
    my ($param, $value) = ($1, product($2));

    next if $param eq 'drain_timeout';

    $value /= 1000 if $param =~ /timeout|lifetime/;
    is(seconds(documented('portal_database', $param)), $value,
        "portal_database: default of $param");
}

my $zone = body($parsers, 'ngx_http_portal_conf_zone');
my ($shares) = $zone =~ /shares\[4\] = \{ (.*?) \}/;
my ($names) = $zone =~ /names\[4\] = \{(.*?)\}/s;

is(join(' ', map { documented('portal_zone', $_) } $names =~ /"(\w+)="/g),
    join(' ', $shares =~ /\d+/g), 'portal_zone: shares');

# words of portal_page

my $location = slurp('src/http/ngx_http_portal_conf_location.c');
my $page = $doc{portal_page}{text} // '';
my ($levels) = $location =~ /levels\[\] = \{(.*?)\}/s;
my ($methods) = $location =~ /names\[\] = \{(.*?)\}/s;
my ($actions) = slurp('src/http/ngx_http_portal_handler.c')
    =~ /ngx_http_portal_actions\[\] = \{(.*?)^\};/ms;

for ([ level => $levels ], [ method => $methods ], [ action => $actions ]) {
    my ($what, $list) = @$_;
    my @missing = grep { $page !~ /`$_`/ } $list =~ /ngx_string\("(\w+)"\)/g;
    is("@missing", '', "portal_page: every $what");
}

# configurations that are shown

my @odd;

for my $file (@docs) {
    for my $block ($text{$file} =~ /^```nginx\n(.*?)^```/gms) {
        push @odd, "$file: $_"
            for grep { !$command{$_} } $block =~ /^\s*(portal\w*)\s/gm;
    }
}

is("@odd", '', 'directives of the examples exist');

# pipes

my ($pipes) = slurp('src/common/portal_expr.c')
    =~ /portal_pipe_names\[\] = \{(.*?)\}/s;
my ($pipe_table) = $text{'docs/pages.md'} =~ /^### Pipes\n(.*?)^###/ms;
my %pipe = map { $_ => 1 } $pipe_table =~ /^\| `(\w+)/gm;

is(join(' ', sort keys %pipe), join(' ', sort $pipes =~ /"(\w+)"/g), 'pipes');

# messages: each in quotes of the tables is one of the sources, where "…"
# stands for what is filled in

find({ no_chdir => 1, wanted => sub {
    $source .= slurp($_) if m{/[^/]+\.c$};
} }, 'src');

while ($source =~ /((?:"(?:[^"\\\n]|\\.)*"\s*)+)/g) {
    my $s = join '', $1 =~ /"((?:[^"\\\n]|\\.)*)"/g;
    $s =~ s/\\(.)/$1/g;
    $s =~ s/%[.*\d]*(?:ui|uL|uo|llu|V|s|i|M|T|O|d|p)/\x{2026}/g;
    $literals{$s} = 1;
}

my @literals = keys %literals;
my @unknown;

sub messages {
    my ($text) = @_;
    my @rows = $text =~ /^\| (`.*?) \|/gm;
    return map { /`([^`]+)`/g } @rows;
}

my ($nginx_t) = $reference =~ /^## Messages\n(.*)/ms;
my ($logs) = $text{'docs/operations.md'} =~ /^## Logs\n(.*?)^## /ms;

for my $message (messages($nginx_t), messages($logs)) {

    # the name at the end may be put there by another function

    (my $want = $message) =~ s/ "\x{2026}"$//;
    push @unknown, $message unless grep { index($_, $want) >= 0 } @literals;
}

cmp_ok(scalar(messages($nginx_t)), '>', 30, 'messages were found');
is(join("\n", @unknown), '', 'messages are those of the sources');

# the map of the code

my $map = $text{'docs/architecture.md'} // '';
my @unmapped;

find({ no_chdir => 1, wanted => sub {
    my ($name) = m{([^/]+\.[ch])$} or return;
    push @unmapped, $name unless $map =~ /`\Q$name\E`/;
} }, 'src');

is(join(' ', sort @unmapped), '', 'every source is in the map of the code');

my %file = map { m{([^/]+)$} => 1 } glob('src/*/*.[ch] sql/*');
my @gone = grep { !$file{$_} && !-e "sql/$_" }
    map { /`([\w\/]+\.(?:c|h|sql))`/g } $map =~ /^## Map of the code\n(.*)/ms;
is("@gone", '', 'and no other');

# links, anchors, files

sub slug {
    my ($heading) = @_;
    $heading =~ s/\[([^\]]*)\]\([^)]*\)/$1/g;
    $heading = lc $heading;
    $heading =~ s/[^\w\- ]//g;
    $heading =~ tr/ /-/;
    return $heading;
}

for my $file (@docs) {
    (my $plain = $text{$file}) =~ s/^ *```.*?^ *```$//gms;
    $anchors{$file}{slug($1)} = 1 while $plain =~ /^#+ (.*)$/gm;
}

my $top = abs_path('.');
my (@dead, @absent, @local);
my %target = map { $_ => 1 } slurp('Makefile') =~ /^([a-z-]+):/gm;

for my $file (@docs) {
    my $text = $text{$file};
    my $dir = dirname($file);
    (my $prose = $text) =~ s/^ *```.*?^ *```$//gms;

    while ($prose =~ /\]\(([^)\s]+)\)/g) {
        my $link = $1;
        next if $link =~ m{^https?://};

        my ($path, $anchor) = $link =~ /^([^#]*)(?:#(.*))?$/;
        my $there = $path eq '' ? $file : "$dir/$path";
        $there =~ s{^\./}{};
        1 while $there =~ s{[^/]+/\.\./}{};

        if ($there =~ m{^(?:/|\.\.)} || !-e $there
            || (defined $anchor && !$anchors{$there}{$anchor}))
        {
            push @dead, "$file: $link";
        }
    }

    # names of files of this repository

    while ($prose =~ m{`((?:src|include|sql|conf|tools|docs|t)/[\w./*-]+)`}g) {
        push @absent, "$file: $1" unless grep { -e } glob $1;
    }

    push @absent, "$file: make $_"
        for grep { !$target{$_} } $prose =~ /(?:`| {4}|sudo )make ([a-z][a-z-]*)/g;

    # what is true on one machine only

    my @here = ($top);
    push @here, dirname($top) if dirname($top) ne '/';

    for my $bad (map({ quotemeta } @here), 'file://',
        '/(?:home|root|Users|mnt|media|tmp)\b')
    {
        push @local, "$file: $1" while $text =~ m{(?<![\w.])($bad(?![\w-])\S*)}g;
    }
}

is(join("\n", @dead), '', 'links and anchors lead somewhere');
is(join("\n", @absent), '', 'files and targets that are named are there');
is(join("\n", @local), '', 'no path of one machine');

my $lines = () = $text{'README.md'} =~ /\n/g;
cmp_ok($lines, '<=', 200, 'README is short');

done_testing();
