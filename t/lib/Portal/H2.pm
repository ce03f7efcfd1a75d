package Portal::H2;

# HTTP/2 frame by frame, without TLS (prior knowledge): for streams that are
# reset, bodies without a length, and several requests at once.
#
#     my $h = $t->h2(as => 'owner');          # of a server with http2 => 1
#     my $s = $h->open('POST', 'documents', { 'x-a' => 'b' }, end => 0);
#     $h->data($s, 'bytes', end => 1);        # keeps to the peer's windows
#     $h->reset($s);
#     my $r = $h->answer($s);  # { status, body, reset => code, headers }
#     $h->alive                               # a ping is answered
#
# Cookies, origin and the form's token are those of a Portal::Client:
# $h->{client}.  Only plain literals are read of the headers; values that the
# server has compressed by Huffman's code are undef.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

use constant { DATA => 0, HEADERS => 1, RST => 3, SETTINGS => 4, PING => 6,
    GOAWAY => 7, WINDOW => 8, CONTINUATION => 9 };

my %STATUS = (0x88 => 200, 0x89 => 204, 0x8a => 206, 0x8b => 304,
    0x8c => 400, 0x8d => 404, 0x8e => 500);


sub new {
    my ($class, %o) = @_;
    my $self = bless { timeout => $ENV{PORTAL_ASAN} ? 40 : 15,
        next => 1, buffer => '', streams => {}, window => 65535,
        first => 65535, %o }, $class;

    $self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{client}{port}, Timeout => 5)
        or die "connect: $@";
    $self->_write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    $self->_frame(SETTINGS, 0, 0, '');
    return $self;
}


sub _write {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';

    while (length $bytes) {
        IO::Select->new($self->{socket})->can_write($self->{timeout})
            or die 'HTTP/2: not taken';
        my $n = syswrite $self->{socket}, $bytes;
        return if !defined $n;
        substr $bytes, 0, $n, '';
    }

    return;
}


sub _frame {
    my ($self, $type, $flags, $stream, $payload) = @_;
    $self->_write(substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload);
    return;
}


sub _text {
    my ($text) = @_;
    my $n = length $text;
    return pack('C', $n) . $text if $n < 127;

    my $bytes = pack 'C', 127;

    for ($n -= 127; $n >= 128; $n >>= 7) {
        $bytes .= pack 'C', $n % 128 + 128;
    }

    return $bytes . pack('C', $n) . $text;
}


sub open {
    my ($self, $method, $path, $headers, %o) = @_;
    my $c = $self->{client};
    my $stream = $self->{next};
    my %all = ('user-agent' => 'portal-test', accept => 'text/html');

    if ($method !~ /^(?:GET|HEAD)$/) {
        $all{origin} = $c->{origin};
        $all{'sec-fetch-site'} = 'same-origin';
    }

    $all{cookie} = join '; ', map { "$_=$c->{jar}{$_}" }
        sort keys %{ $c->{jar} } if %{ $c->{jar} };
    %all = (%all, %{ $headers // {} });

    my $block = '';
    $block .= "\0" . _text($_->[0]) . _text($_->[1]) for
        [ ':method', $method ], [ ':scheme', 'http' ],
        [ ':authority', $c->{host} ], [ ':path', $c->url($path) ],
        map { my $name = $_; map { [ $name, $_ ] }
            ref $all{$name} ? @{ $all{$name} } : $all{$name} }
        grep { defined $all{$_} } sort keys %all;

    $self->{next} += 2;
    $self->{streams}{$stream} = { window => $self->{first}, body => '' };
    $self->_frame(HEADERS, 4 | ($o{end} // 1 ? 1 : 0), $stream, $block);
    return $stream;
}


# Returns how much was sent before the stream was answered or reset.
sub data {
    my ($self, $stream, $bytes, %o) = @_;
    my $s = $self->{streams}{$stream};
    my $sent = 0;

    do {
        my $n = length $bytes;
        $n = 16384 if $n > 16384;
        $n = $self->{window} if $n > $self->{window};
        $n = $s->{window} if $n > $s->{window};

        if ($n == 0 && length $bytes) {
            return $sent if $s->{done} || defined $s->{status};
            $self->_read(time + $self->{timeout});

        } else {
            my $part = substr $bytes, 0, $n, '';
            $self->{window} -= $n;
            $s->{window} -= $n;
            $sent += $n;
            $self->_frame(DATA, $o{end} && !length $bytes ? 1 : 0, $stream,
                $part);
        }
    } while (length $bytes);

    return $sent;
}


sub reset {
    my ($self, $stream, $code) = @_;
    $self->_frame(RST, 0, $stream, pack 'N', $code // 8);
    return;
}


sub _read {
    my ($self, $until) = @_;

    while (1) {
        if (length $self->{buffer} >= 9) {
            my ($high, $low, $type, $flags, $stream)
                = unpack 'CnCCN', $self->{buffer};
            my $n = $high << 16 | $low;

            if (length $self->{buffer} >= 9 + $n) {
                my $payload = substr $self->{buffer}, 9, $n;
                substr $self->{buffer}, 0, 9 + $n, '';
                return $self->_take($type, $flags, $stream, $payload);
            }
        }

        my $left = $until - time;
        $left > 0 && IO::Select->new($self->{socket})->can_read($left)
            or die 'HTTP/2: nothing came';

        if (!sysread $self->{socket}, $self->{buffer}, 65536,
            length $self->{buffer})
        {
            $self->{closed} = 1;
            $_->{done} = 1 for values %{ $self->{streams} };
            return;
        }
    }
}


sub _take {
    my ($self, $type, $flags, $stream, $payload) = @_;
    my $s = $self->{streams}{$stream} // {};

    if ($type == SETTINGS && !($flags & 1)) {
        while (length $payload) {
            my ($id, $value) = unpack 'nN', substr $payload, 0, 6, '';

            if ($id == 4) {
                $_->{window} += $value - $self->{first}
                    for values %{ $self->{streams} };
                $self->{first} = $value;
            }
        }

        $self->_frame(SETTINGS, 1, 0, '');

    } elsif ($type == WINDOW) {
        my $n = unpack 'N', $payload;
        $stream ? ($s->{window} += $n) : ($self->{window} += $n);

    } elsif ($type == PING) {
        $flags & 1 ? $self->{pong}++ : $self->_frame(PING, 1, 0, $payload);

    } elsif ($type == HEADERS || $type == CONTINUATION) {
        $s->{block} .= $payload;
        _headers($s) if $flags & 4;

    } elsif ($type == DATA) {
        $s->{body} .= $payload;

        if (length $payload) {
            my $n = pack 'N', length $payload;
            $self->_frame(WINDOW, 0, 0, $n);
            $self->_frame(WINDOW, 0, $stream, $n);
        }

    } elsif ($type == RST) {
        $s->{reset} = unpack 'N', $payload;
        $s->{done} = 1;

    } elsif ($type == GOAWAY) {
        $self->{goaway} = unpack 'x4 N', $payload;
    }

    $s->{done} = 1 if ($type == DATA || $type == HEADERS) && $flags & 1;
    return;
}


sub _headers {
    my ($s) = @_;
    my $first = ord $s->{block};

    $s->{status} = $STATUS{$first}
        // ($s->{block} =~ /^.\x03(\d{3})/s ? $1 : undef);
    return;
}


sub answer {
    my ($self, $stream) = @_;
    my $s = $self->{streams}{$stream};
    my $until = time + $self->{timeout};

    $self->_read($until) while !$s->{done};
    return $s;
}


# The status, without waiting for the end of the body.
sub status {
    my ($self, $stream) = @_;
    my $s = $self->{streams}{$stream};
    my $until = time + $self->{timeout};

    $self->_read($until) while !$s->{done} && !defined $s->{status};
    return $s->{status};
}


sub alive {
    my ($self) = @_;
    my $pongs = $self->{pong} // 0;
    my $until = time + $self->{timeout};

    $self->_frame(PING, 0, 0, 'pingping');
    $self->_read($until)
        while !$self->{closed} && ($self->{pong} // 0) == $pongs;
    return !$self->{closed} && !defined $self->{goaway};
}


sub close {
    my ($self) = @_;
    close delete $self->{socket} if $self->{socket};
    return;
}


1;
