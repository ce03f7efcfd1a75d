package Portal::Response;

# An answer.  Its body is bytes as they came; literals of a test that does
# not "use utf8" compare with them.
#
#   status  reason  body  text (without markup)  json
#   header('Name')  first value or undef;  headers('Name')  all values
#   set_cookie('portal-main')  { value, attributes in lower case }
#   location  of a redirect
#   hidden  { name => value } of the hidden inputs
#   masked  header and body with what always differs taken out
#   cut  true: the connection ended before Content-Length

use strict;
use warnings;

use JSON::PP ();


sub new {
    my ($class, $head) = @_;
    my ($line, @lines) = split /\r\n/, $head;
    my ($status, $reason) = $line =~ m{^HTTP/1\.[01] (\d{3}) ?(.*)$}
        or die "not an answer: $line";
    my @headers;

    for (@lines) {
        my ($name, $value) = /^([^:]+):\s*(.*)$/ or die "not a header: $_";
        push @headers, [ $name, $value ];
    }

    return bless { status => $status, reason => $reason, head => $head,
        headers => \@headers, body => '' }, $class;
}


sub status { return $_[0]{status} }
sub reason { return $_[0]{reason} }
sub head   { return $_[0]{head} }
sub body   { return $_[0]{body} }
sub cut    { return $_[0]{cut} }


sub headers {
    my ($self, $name) = @_;
    return map { $_->[1] } grep { lc $_->[0] eq lc $name }
        @{ $self->{headers} };
}


sub header {
    my ($self, $name) = @_;
    return ($self->headers($name))[0];
}


sub location {
    my ($self) = @_;
    return $self->header('Location');
}


sub json {
    my ($self) = @_;
    return JSON::PP->new->utf8->decode($self->{body});
}


sub set_cookie {
    my ($self, $wanted) = @_;

    for ($self->headers('Set-Cookie')) {
        my ($pair, @attributes) = split /;\s*/;
        my ($name, $value) = split /=/, $pair, 2;
        next if $name ne $wanted;

        my %cookie = (value => $value);

        for (@attributes) {
            my ($key, $v) = split /=/, $_, 2;
            $cookie{ lc $key } = $v // 1;
        }

        return \%cookie;
    }

    return undef;
}


sub _plain {
    my ($text) = @_;
    my %entities = (lt => '<', gt => '>', amp => '&', quot => '"',
        '#39' => "'");
    $text =~ s/&(lt|gt|amp|quot|#39);/$entities{$1}/g;
    return $text;
}


sub hidden {
    my ($self) = @_;
    my %fields;

    for ($self->{body} =~ /<input\b([^>]*\btype="hidden"[^>]*)>/g) {
        my ($name) = /\bname="([^"]*)"/ or next;
        my ($value) = /\bvalue="([^"]*)"/;
        $fields{$name} = _plain($value // '');
    }

    return \%fields;
}


sub text {
    my ($self) = @_;
    my $text = $self->{body};
    $text =~ s{<(script|style)\b.*?</\1>}{}gs;
    $text =~ s/<[^>]*>/ /g;
    $text =~ s/\s+/ /g;
    return _plain($text);
}


# Date, request id, nonces and tokens of forms differ from answer to answer.
sub masked {
    my ($self) = @_;
    my $text = $self->{head} . "\r\n" . $self->{body};
    $text =~ s/^Date: .*?\r\n/Date: …\r\n/m;
    $text =~ s/\b[0-9a-f]{32}\b/ID/g;
    $text =~ s/\b[0-9a-f]{8}…/ID/g;
    $text =~ s/nonce(-|=")[A-Za-z0-9_-]{22}/nonce$1…/g;
    $text =~ s/[A-Za-z0-9_-]{54,}/TOKEN/g;
    return $text;
}


1;
