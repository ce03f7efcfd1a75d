package Portal::Token;

# What the key file makes, computed again in Perl: tokens of sessions and
# browsers, tokens of forms.  Independent of the C, so that tests get a
# session without a sign-in, and a form's token without its page.
#
#     my $k = Portal::Token->new('ab' x 32);      # a line of the key file
#     my $text = $k->token;                       # 54 characters, a cookie
#     my $hash = $k->hash($text);                 # what PostgreSQL stores
#     my $csrf = $k->csrf($text);                 # of that cookie's owner

use strict;
use warnings;
no warnings 'portable';

use Digest::SHA qw(sha256 hmac_sha256);
use MIME::Base64 qw(encode_base64url decode_base64url);

my @IV = (
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
);

my @SIGMA = (
    [ 0 .. 15 ],
    [ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 ],
    [ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 ],
    [ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 ],
    [ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 ],
    [ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 ],
    [ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 ],
    [ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 ],
    [ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 ],
    [ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 ],
);

my @MIX = (
    [ 0, 4, 8, 12 ], [ 1, 5, 9, 13 ], [ 2, 6, 10, 14 ], [ 3, 7, 11, 15 ],
    [ 0, 5, 10, 15 ], [ 1, 6, 11, 12 ], [ 2, 7, 8, 13 ], [ 3, 4, 9, 14 ],
);


sub new {
    my ($class, $hex) = @_;
    my $master = pack 'H64', $hex;

    return bless {
        token => _derive($master, 1, 32),
        csrf => _derive($master, 2, 32),
    }, $class;
}


# Random bytes, or those given; with the wrong check if asked.
sub token {
    my ($self, %o) = @_;
    my $random = $o{random} // random(32);
    my $mac = substr blake2b($random . ($o{purpose} // ''), 16, $self->{token}), 0, 8;

    $mac = ~$mac if $o{forged};
    return encode_base64url($random . $mac);
}


sub hash {
    my ($self, $text) = @_;
    return sha256(decode_base64url($text));
}


sub csrf {
    my ($self, $text) = @_;
    my $random = random(16);

    return encode_base64url($random
        . hmac_sha256($self->hash($text) . $random, $self->{csrf}));
}


sub random {
    my ($n) = @_;
    open my $fh, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read($fh, my $bytes, $n) == $n or die "/dev/urandom: $!";
    return $bytes;
}


# libsodium's crypto_kdf_derive_from_key() in the context "portal01"
sub _derive {
    my ($master, $id, $length) = @_;
    return blake2b('', $length, $master, pack('Q<x8', $id), "portal01");
}


sub blake2b {
    my ($data, $length, $key, $salt, $person) = @_;
    my $param = pack 'CCCC x28 a16 a16', $length, length $key, 1, 1,
        $salt // '', $person // '';
    my @p = unpack 'Q<8', $param;
    my @h = map { $IV[$_] ^ $p[$_] } 0 .. 7;

    $data = pack('a128', $key) . $data if length $key;

    my $done = 0;

    do {
        my $block = substr $data, $done, 128;
        $done += length $block;
        _compress(\@h, pack('a128', $block), $done, $done == length $data);
    } while ($done < length $data);

    return substr pack('Q<8', @h), 0, $length;
}


sub _compress {
    my ($h, $block, $count, $last) = @_;
    my @m = unpack 'Q<16', $block;
    my @v = (@$h, @IV);

    $v[12] ^= $count;
    $v[14] = ~$v[14] if $last;

    for my $round (0 .. 11) {
        my $s = $SIGMA[$round % 10];

        for my $i (0 .. 7) {
            _mix(\@v, @{ $MIX[$i] }, $m[ $s->[ 2 * $i ] ],
                $m[ $s->[ 2 * $i + 1 ] ]);
        }
    }

    $h->[$_] ^= $v[$_] ^ $v[ $_ + 8 ] for 0 .. 7;
    return;
}


sub _add {
    use integer;
    my $sum = 0;
    $sum += $_ for @_;
    return $sum;
}


sub _rotate {
    my ($x, $n) = @_;
    return ($x >> $n) | ($x << (64 - $n));
}


sub _mix {
    my ($v, $a, $b, $c, $d, $x, $y) = @_;

    for ([ $x, 32, 24 ], [ $y, 16, 63 ]) {
        my ($word, $r1, $r2) = @$_;
        $v->[$a] = _add($v->[$a], $v->[$b], $word) | 0;
        $v->[$d] = _rotate($v->[$d] ^ $v->[$a], $r1);
        $v->[$c] = _add($v->[$c], $v->[$d]) | 0;
        $v->[$b] = _rotate($v->[$b] ^ $v->[$c], $r2);
    }

    return;
}


1;
