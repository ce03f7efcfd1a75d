package Portal::Rules;

# What every answer of a portal's location owes its reader, asserted on all
# answers that any test sees (S-55, S-22, S-54).

use strict;
use warnings;

my %ALWAYS = (
    'X-Content-Type-Options' => qr/^nosniff$/,
    'Referrer-Policy' => qr/^(?:same-origin|no-referrer)$/,
    'Permissions-Policy' => qr/^camera=\(\), microphone=\(\)/,
    'Cross-Origin-Opener-Policy' => qr/^same-origin$/,
    'Cross-Origin-Resource-Policy' => qr/^same-origin$/,
    'Content-Security-Policy' => qr/default-src 'none'/,
    'Cache-Control' => qr/no-store|immutable/,
);


# The faults of an answer, or nothing.  $secure: cookies must be __Host-.
sub faults {
    my ($r, $method, $path, $secure) = @_;

    # refused by nginx before it knows the location: the site's
    return if $r->body =~ /<center>nginx/ && ($r->status =~ /^(?:400|414)$/
        || $method =~ /^(?:TRACE|CONNECT)$/);

    return if $r->status == 414 || $r->status == 431;

    my @faults;

    for my $name (sort keys %ALWAYS) {
        my @values = $r->headers($name);
        push @faults, "$name: " . (@values ? "@values" : 'none')
            if @values != 1 || $values[0] !~ $ALWAYS{$name};
    }

    my $cache = $r->header('Cache-Control') // '';
    push @faults, "Cache-Control: $cache" if $cache =~ /immutable/
        && $path !~ m{^assets/};

    for my $name (qw(Content-Type Content-Length Location Date ETag)) {
        push @faults, "$name twice" if $r->headers($name) > 1;
    }

    push @faults, map { _cookie($_, $secure) } $r->headers('Set-Cookie');
    push @faults, 'a page of nginx itself' if $r->body =~ /<center>nginx/;

    if (($r->header('Content-Type') // '') =~ m{^text/html}
        && $method ne 'HEAD' && !$r->header('Content-Disposition'))
    {
        push @faults, _page($r);
    }

    return @faults;
}


sub _cookie {
    my ($cookie, $secure) = @_;
    my ($name) = $cookie =~ /^(?:__Host-)?portal-([a-z0-9_]+)[a-z-]*=/
        or return "cookie of a foreign name: $cookie";
    my @faults;

    push @faults, 'not HttpOnly' if $cookie !~ /; HttpOnly/;
    push @faults, 'not SameSite=Lax' if $cookie !~ /; SameSite=Lax/;
    push @faults, 'not Path=/' if $cookie !~ m{; Path=/(?:;|$)};
    push @faults, 'has a Domain' if $cookie =~ /; Domain/i;
    push @faults, 'not __Host- and Secure'
        if $secure && $cookie !~ /^__Host-.*; Secure/;
    push @faults, '__Host- or Secure without TLS'
        if !$secure && $cookie =~ /^__Host-|; Secure/;
    return map { "cookie $_" } @faults;
}


sub _page {
    my ($r) = @_;
    my $html = $r->body;
    my ($csp) = $r->header('Content-Security-Policy');
    my ($nonce) = ($csp // '') =~ /'nonce-([^']+)'/;
    my @faults;

    return 'no nonce in the policy' if !defined $nonce && $html =~ /<script/;

    for ($html =~ /<script\b[^>]*>/g) {
        push @faults, "script without the nonce: $_"
            if !/ nonce="\Q$nonce\E"/;
    }

    push @faults, 'a resource of another origin' if $html =~
        m{<(?:script|link|img|iframe|source|embed|object|audio|video)\b
          [^>]*\b(?:src|href|data)="(?:https?:)?//}ix;
    push @faults, 'a style or a handler inside the page'
        if $html =~ /<[a-z][^>]*\s(?:style|on[a-z]+)=/i || $html =~ /<style/;
    push @faults, 'a tag of a template is left'
        if $html =~ /\{\{/;
    push @faults, 'no language' if $html !~ /<html[^>]* lang="[a-z]{2}"/;
    return @faults;
}


1;
