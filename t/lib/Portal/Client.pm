package Portal::Client;

# A browser of raw sockets: HTTP/1.1 with keep-alive and a jar of cookies.
#
# It never closes a connection to end an answer that does not end by itself,
# so that a hanging request is a failed test, and it finds bytes that follow
# an answer.  Made by $t->client(); see Portal::Test.
#
# Requests (each returns a Portal::Response, or dies after "timeout"):
#
#   $c->get($path, %o)  head  options
#   $c->post($path, \%form, %o)       form with the token it needs
#   $c->post_json($path, \%data, %o)  the same as application/json
#   $c->post_multipart($path, \@parts, %o)
#         a part: [ name => value ], or [ name => content, filename, type ];
#         "csrf" (and "client" where the path names one) stand first
#   $c->upload($path, $content, name => …, type => …, %o)   the raw body
#   $c->request($method, $path, %o)
#   $c->sign_in($person_or_email, $password, %o)
#
# A path that begins with "/" is absolute, another is below the mount.  %o:
#
#   headers  { Name => value | [values] | undef (leaves out a default) }
#   body     bytes;  chunked  => size: sent in chunks of that size
#   csrf     undef: none;  or its text        form_client => 'slug'
#   accept   'json': the same as headers => { Accept => application/json }
#   http     '1.0'
#   write    1: one byte a write;  read => 1: one byte a read
#   close    1: asks to close, and sees that it happens
#   rules    0: the answer is not ours (see Portal::Rules)
#
# Lower: $c->connect, $c->send($bytes), $c->recv($method) -> response,
# $c->pending (unread bytes, after a moment), $c->closed (by the server),
# $c->abort (RST), $c->disconnect.
#
# Cookies: $c->cookie('') the session's value, 'pre', 'device', 'flash';
# $c->set_cookie('' => $value), $c->{jar} { full name => value }.

use strict;
use warnings;

use Encode ();
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Portal::Response;
use Portal::Rules;
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);


sub new {
    my ($class, %o) = @_;

    return bless {
        timeout => $ENV{PORTAL_ASAN} ? 40 : 15,
        jar => {},
        agent => 'portal-test',
        %o,
    }, $class;
}


sub connect {
    my ($self) = @_;
    $self->disconnect;

    my $s = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{port},
        LocalAddr => $self->{from},
        Proto => 'tcp',
        Timeout => $self->{timeout},
    ) or die "cannot connect to port $self->{port}: $@";

    setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, $self->{rcvbuf}
        if $self->{rcvbuf};

    if ($self->{tls}) {
        require IO::Socket::SSL;
        IO::Socket::SSL->start_SSL($s, SSL_verify_mode => 0)
            or die "TLS: $IO::Socket::SSL::SSL_ERROR";
    }

    @$self{qw(socket buffer fresh)} = ($s, '', 1);
    return $self;
}


sub disconnect {
    my ($self) = @_;
    close delete $self->{socket} if $self->{socket};
    return $self;
}


# A reset, as of a browser that was killed.
sub abort {
    my ($self) = @_;
    my $s = delete $self->{socket} or return;
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'll', 1, 0;
    close $s;
    return;
}


sub _until {
    my ($self) = @_;
    return time + $self->{timeout};
}


# Returns the number of bytes that the server took.
sub send {
    my ($self, $bytes, %o) = @_;
    my $s = $self->{socket} or die 'not connected';
    my $step = $o{write} || 65536;
    my $sent = 0;
    my $until = $self->_until;
    local $SIG{PIPE} = 'IGNORE';

    while ($sent < length $bytes) {
        my $left = $until - time;
        die "request not taken within $self->{timeout} s" if $left <= 0;
        next if !IO::Select->new($s)->can_write($left);

        my $n = syswrite $s, substr $bytes, $sent, $step;
        last if !defined $n;
        $sent += $n;
    }

    return $sent;
}


# False at the end of the connection.
sub _more {
    my ($self, $until, $step) = @_;
    my $s = $self->{socket} or return 0;

    if (!($self->{tls} && $s->pending)) {
        my $left = $until - time;
        $left > 0 && IO::Select->new($s)->can_read($left)
            or die "no (whole) answer within $self->{timeout} s, only "
                . length($self->{buffer}) . " bytes";
    }

    my $n = sysread $s, $self->{buffer}, $step || 65536,
        length $self->{buffer};
    return $n ? 1 : 0;
}


# The next answer on the connection; undef: closed before its first byte.
sub recv {
    my ($self, $method, %o) = @_;
    my $until = $self->_until;
    my ($head, $r);

    {
        while ($self->{buffer} !~ /\r\n\r\n/) {
            next if $self->_more($until, $o{read});
            die "connection closed inside a header: $self->{buffer}"
                if length $self->{buffer};
            return undef;
        }

        $self->{buffer} =~ s/\A(.*?\r\n)\r\n//s;
        $head = $1;
        $r = Portal::Response->new($head);
        redo if $r->status == 100 && !$o{interim};
    }

    return $r if $r->status == 100;

    my $length = $r->header('Content-Length');

    if ($method eq 'HEAD' || $r->status =~ /^(?:204|304)$/) {
        # no body

    } elsif (($r->header('Transfer-Encoding') // '') eq 'chunked') {
        $r->{body} = $self->_chunks($until, $o{read});

    } elsif (defined $length) {
        while (length $self->{buffer} < $length) {
            last if !$self->_more($until, $o{read});
        }

        $r->{cut} = length $self->{buffer} < $length;
        $r->{body} = substr $self->{buffer}, 0, $length, '';

    } else {
        1 while $self->_more($until, $o{read});
        $r->{body} = $self->{buffer};
        $self->{buffer} = '';
    }

    $self->_keep_cookies($r);
    return $r;
}


sub _chunks {
    my ($self, $until, $step) = @_;
    my $body = '';

    while (1) {
        while ($self->{buffer} !~ /\A[0-9a-f]+\r\n/i) {
            $self->_more($until, $step) or die 'cut inside chunks';
        }

        $self->{buffer} =~ s/\A([0-9a-f]+)\r\n//i;
        my $size = hex $1;

        while (length $self->{buffer} < $size + 2) {
            $self->_more($until, $step) or die 'cut inside a chunk';
        }

        $body .= substr $self->{buffer}, 0, $size, '';
        $self->{buffer} =~ s/\A\r\n// or die 'chunk without its end';
        return $body if $size == 0;
    }
}


sub pending {
    my ($self, $wait) = @_;
    my $s = $self->{socket} or return '';

    while (IO::Select->new($s)->can_read($wait // 0.1)) {
        last if !$self->_more(time + 1);
    }

    my $bytes = $self->{buffer};
    $self->{buffer} = '';
    return $bytes;
}


# Did the server close, within some seconds?
sub closed {
    my ($self, $wait) = @_;
    my $s = $self->{socket} or return 1;
    my $until = time + ($wait // 2);

    while (time < $until) {
        next if !IO::Select->new($s)->can_read($until - time);
        my $n = sysread $s, my $bytes, 65536;
        return 1 if !$n;
    }

    return 0;
}


sub url {
    my ($self, $path) = @_;
    return $path =~ m{^(?:/|\*|https?://)} ? $path : $self->{mount} . $path;
}


# The bytes of a request.
sub bytes {
    my ($self, $method, $path, %o) = @_;
    my $http = $o{http} // '1.1';
    my $body = $o{body};
    my %defaults = (
        'Host' => $self->{host},
        'User-Agent' => $self->{agent},
        'Accept' => ($o{accept} // '') eq 'json' ? 'application/json'
            : 'text/html',
    );

    if ($method !~ /^(?:GET|HEAD|OPTIONS|TRACE)$/) {
        $defaults{'Origin'} = $self->{origin};
        $defaults{'Sec-Fetch-Site'} = 'same-origin';
    }

    $defaults{'Connection'} = 'close' if $o{close};

    if (%{ $self->{jar} }) {
        $defaults{'Cookie'} = join '; ',
            map { "$_=$self->{jar}{$_}" } sort keys %{ $self->{jar} };
    }

    if ($o{chunked}) {
        $defaults{'Transfer-Encoding'} = 'chunked';
        $body = join '', (map { sprintf "%x\r\n%s\r\n", length, $_ }
            unpack "(a$o{chunked})*", $body // ''), "0\r\n\r\n";

    } elsif (defined $body) {
        $defaults{'Content-Length'} = length $body;

    } elsif ($method =~ /^(?:POST|PUT|PATCH)$/) {
        $defaults{'Content-Length'} = 0;
    }

    $defaults{'Content-Type'} = $o{type} if $o{type};

    my %headers = %{ $o{headers} // {} };
    my %seen = map { lc $_ => 1 } keys %headers;
    my $head = "$method " . $self->url($path) . " HTTP/$http\r\n";

    for my $name (sort keys %defaults) {
        next if $seen{ lc $name };
        $head .= "$name: $defaults{$name}\r\n";
    }

    for my $name (sort keys %headers) {
        my $value = $headers{$name};
        next if !defined $value;
        $head .= "$name: $_\r\n" for ref $value ? @$value : $value;
    }

    return "$head\r\n" . ($body // '');
}


sub request {
    my ($self, $method, $path, %o) = @_;
    my $bytes = $self->bytes($method, $path, %o);

    for my $try (1, 2) {
        my $reused = !!$self->{socket};
        $self->connect if !$reused;

        if ($reused && length $self->pending(0)) {
            die "bytes after the last answer on this connection";
        }

        $self->send($bytes, %o);
        my $r = $self->recv($method, %o);

        # closed while it was idle: once more, as browsers do
        if (!$r && $reused && $try == 1) {
            $self->disconnect;
            next;
        }

        die "closed without an answer: $method $path" if !$r;

        $self->_judge($r, $method, $path, %o);

        if (lc($r->header('Connection') // '') eq 'close'
            || ($o{http} // '') eq '1.0')
        {
            die "bytes after the answer of $method $path"
                if length $self->{buffer};
            $self->disconnect;
        }

        return $r;
    }
}


# Faults are collected, and asserted by $t->done; rules => 0: not ours.
sub _judge {
    my ($self, $r, $method, $path, %o) = @_;
    my ($below) = $self->url($path) =~ /^\Q$self->{mount}\E(.*)$/s;
    return if !defined $below || $below =~ /^(?:\.|%2e){2}/i
        || !($o{rules} // $self->{rules} // 1);

    push @{ $self->{test}{faults} }, map {
        sprintf '%s %.60s (%d): %s', $method, $path, $r->status, $_
    } Portal::Rules::faults($r, $method, $below, $self->{secure});
    return;
}


sub get     { my ($self, $path, %o) = @_; $self->request('GET', $path, %o) }
sub head    { my ($self, $path, %o) = @_; $self->request('HEAD', $path, %o) }
sub options { my ($self, $path, %o) = @_;
              $self->request('OPTIONS', $path, %o) }


sub encode {
    my ($text) = @_;
    $text = Encode::encode('UTF-8', $text) if utf8::is_utf8($text);
    $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge;
    return $text;
}


# A form in application/x-www-form-urlencoded; \@pairs keeps the order, and
# names that come twice.
sub form {
    my ($form) = @_;
    my @pairs = ref $form eq 'ARRAY' ? @$form
        : map { $_ => $form->{$_} } sort keys %$form;
    my @fields;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @fields, encode($name) . '=' . encode($value);
    }

    return join '&', @fields;
}


sub _fields {
    my ($self, $path, $form, $o) = @_;
    my @pairs = ref $form eq 'ARRAY' ? @$form
        : map { $_ => $form->{$_} } sort keys %$form;
    my %given;

    for (my $i = 0; $i < @pairs; $i += 2) {
        $given{ $pairs[$i] } = 1;
    }

    my $client = exists $o->{form_client} ? $o->{form_client}
        : $self->url($path) =~ m{^\Q$self->{mount}\Ec/([^/]+)/} ? $1 : undef;
    my $csrf = exists $o->{csrf} ? $o->{csrf} : $self->csrf;

    unshift @pairs, client => $client if defined $client && !$given{client};
    unshift @pairs, csrf => $csrf if defined $csrf && !$given{csrf};
    return @pairs;
}


sub post {
    my ($self, $path, $form, %o) = @_;

    return $self->request('POST', $path,
        type => 'application/x-www-form-urlencoded',
        body => form([ $self->_fields($path, $form // {}, \%o) ]), %o);
}


sub post_json {
    my ($self, $path, $data, %o) = @_;
    my $body = ref $data ? JSON::PP->new->utf8->canonical->encode(
        { $self->_fields($path, $data, \%o) }) : $data;

    return $self->request('POST', $path, accept => 'json',
        type => 'application/json', body => $body, %o);
}


sub multipart {
    my ($boundary, @parts) = @_;
    my $body = '';

    for (@parts) {
        my ($name, $content, $filename, $type) = @$_;
        $body .= "--$boundary\r\nContent-Disposition: form-data; "
            . "name=\"$name\"";
        $body .= "; filename=\"$filename\"" if defined $filename;
        $body .= "\r\nContent-Type: "
            . ($type // 'application/octet-stream') if defined $filename;
        $body .= "\r\n\r\n$content\r\n";
    }

    return "$body--$boundary--\r\n";
}


sub post_multipart {
    my ($self, $path, $parts, %o) = @_;
    my @pairs = $self->_fields($path,
        [ map { $_->[0] => '' } grep { @$_ == 2 } @$parts ], \%o);
    my @all;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @all, [ $name, $value ]
            if !grep { $_->[0] eq $name } @$parts;
    }

    my $boundary = 'portaltestboundary';

    return $self->request('POST', $path,
        type => "multipart/form-data; boundary=$boundary",
        body => multipart($boundary, @all, @$parts), %o);
}


# The raw body, as the page's script sends it.
sub upload {
    my ($self, $path, $content, %o) = @_;
    my $name = delete $o{name} // 'test.txt';
    my $csrf = exists $o{csrf} ? $o{csrf} : $self->csrf;

    return $self->request('POST', $path, body => $content, %o,
        type => $o{type} // 'application/octet-stream',
        headers => { 'X-Portal-Csrf' => $csrf,
            'X-Portal-File' => encode($name), %{ $o{headers} // {} } });
}


# Signs in by the form, as a browser would; "page" => 1 fetches it first.
sub sign_in {
    my ($self, $who, $password, %o) = @_;
    my $email = $self->{test}{emails}{$who} // $who;
    my $csrf = delete $o{page}
        ? $self->get('sign-in')->hidden->{csrf} : $self->csrf;

    return $self->post('sign-in', { email => $email,
        password => $password // $self->{test}{password},
        defined $o{next} ? (next => $o{next}) : () },
        csrf => $csrf, %o);
}


# The full name of one of our cookies.
sub cookie_name {
    my ($self, $suffix) = @_;
    return ($self->{secure} ? '__Host-' : '') . "portal-$self->{portal}"
        . (length($suffix // '') ? "-$suffix" : '');
}


sub cookie {
    my ($self, $suffix) = @_;
    return $self->{jar}{ $self->cookie_name($suffix) };
}


sub set_cookie {
    my ($self, $suffix, $value) = @_;
    my $name = $self->cookie_name($suffix);

    if (defined $value) {
        $self->{jar}{$name} = $value;
        push @{ $self->{test}{secrets} }, $value if $suffix eq '';

    } else {
        delete $self->{jar}{$name};
    }

    return $self;
}


# A form's token for whoever this client is; an anonymous one gets the
# cookie for it first.
sub csrf {
    my ($self) = @_;
    my $owner = $self->cookie('') // $self->cookie('pre');

    if (!defined $owner) {
        $owner = $self->{test}{keys}->token(purpose => '-pre');
        $self->set_cookie('pre', $owner);
    }

    return $self->{test}{keys}->csrf($owner);
}


sub _keep_cookies {
    my ($self, $r) = @_;

    for ($r->headers('Set-Cookie')) {
        my ($name, $value, $rest) = /^([^=]+)=([^;]*)(.*)$/ or next;

        if ($rest =~ /;\s*Max-Age=0\b/i || $value eq '') {
            delete $self->{jar}{$name};

        } else {
            $self->{jar}{$name} = $value;
            push @{ $self->{test}{secrets} }, $value
                if $name eq $self->cookie_name('') && $self->{test};
        }
    }

    return;
}


1;
