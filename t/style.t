#!/usr/bin/perl

# House rules that a machine can check: form of the C sources, the one way
# that includes may point, the functions that only one place may call.

use strict;
use warnings;

use File::Find;
use Test::More;

my (@c, @all);

find({ no_chdir => 1, wanted => sub {
    push @c, $_ if /\.[ch]$/;
} }, qw(src include));

is(scalar(grep { -s } @c), scalar @c, 'sources are there');

sub slurp { local (@ARGV, $/) = @_; <> }

# form

my (@tabs, @slashes, @wide, @blank, @long);

for my $file (@c) {
    my $n = 0;
    my $text = slurp($file);

    for (split /\n/, $text) {
        $n++;
        push @tabs, "$file:$n" if /\t/;
        push @blank, "$file:$n" if /\s$/;
        push @wide, "$file:$n" if do { my $l = $_; utf8::decode($l); length $l } > 79;
        push @slashes, "$file:$n" if m{(?:^|\s)//} && !m{".*//.*"};
    }

    push @long, "$file ($n)" if $n > 1000;
}

is("@tabs", '', 'no tabs');
is("@blank", '', 'no blanks at the end of a line');
is("@wide", '', 'at most 79 columns');
is("@slashes", '', 'no comments of two slashes');
is("@long", '', 'no file over 1000 lines');

# every static function has a prototype

my @naked;

for my $file (grep { /\.c$/ } @c) {
    my $text = slurp($file);

    while ($text =~ /^static [^\n;={]*\n(\w+)\(/mg) {
        my $name = $1;
        push @naked, "$file: $name" unless $text =~ /^static [^;{=]*?\b$name\([^;{]*\);/m;
    }
}

is("@naked", '', 'static functions have prototypes');

# includes point one way: http, auth -> db -> core -> common, ctl -> common

my %may = (
    common => qr{^portal_},
    core   => qr{^(?:portal_|ngx_portal_(?:core|zone))},
    db     => qr{^(?:portal_|ngx_portal_)},
    ctl    => qr{^portal},
    http   => qr{},
    auth   => qr{},
);

my @wrong;

for my $file (grep { m{^src/} } @c) {
    my ($layer) = $file =~ m{^src/(\w+)/};

    for my $name (slurp($file) =~ /^#include "([^"]+)"/mg) {
        push @wrong, "$file: $name" unless $name =~ $may{$layer};
    }

    push @wrong, "$file: ngx_http.h" if $layer =~ /^(?:common|core|db|ctl)$/ && slurp($file) =~ /ngx_http\.h/;
    push @wrong, "$file: nginx" if $layer =~ /^(?:common|ctl)$/ && slurp($file) =~ /^#include <ngx_/m;
}

is("@wrong", '', 'includes point from http and auth to db, core, common');

# one place each

sub only {
    my ($pattern, $where, $name) = @_;
    my @found = grep { slurp($_) =~ $pattern && !/$where/ } @c;
    is("@found", '', $name);
}

only(qr/ngx_http_finalize_request\(/, qr{http/ngx_http_portal_request\.c$}, 'requests are finished in one function');
only(qr/(?:->|\.)count\s*(?:\+\+|--|\+=)/, qr{zone_cache\.c$}, 'nobody counts references of a request');
only(qr/\bblocked\s*(?:\+\+|--)/, qr{^$}, 'nobody blocks a request');
only(qr/\bnginx_version\b/, qr{(?:ngx_http_portal_compat\.h|ngx_http_portal_cookie\.c)$}, 'one header asks for the version');
only(qr/\b(?:PQexec|PQconnectdb|PQcancel|PQescape\w*)\s*\(/, qr{^$}, 'no blocking or escaping calls of libpq');
only(qr/\b(?:strcpy|strcat|sprintf|gets|alloca)\s*\(/, qr{^$}, 'no unbounded copies');
only(qr/\b(?:TODO|FIXME|XXX|HACK)\b/, qr{^$}, 'nothing is left open');

# SQL: every function of ours pins its search_path

my @unpinned;

for my $file (glob 'sql/*.sql sql/pages/*.sql') {
    my $text = slurp($file);

    while ($text =~ /create or replace function (\S+?)\((.*?)\bas \$\$/sg) {
        my ($name, $head) = ($1, $2);
        push @unpinned, "$file: $name" unless $head =~ /set search_path = portal, pg_temp/
            || $text =~ /portal\.page\([^;]*'\Q$name\E'/s;
    }
}

is("@unpinned", '', 'functions pin search_path, by themselves or as pages');

done_testing();
