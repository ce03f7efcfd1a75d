package Demo::Image;

# A photographed receipt as PNG: letters from a small font, paper with grain.

use strict;
use warnings;

use Compress::Zlib qw(compress crc32);
use Exporter qw(import);

our @EXPORT_OK = qw(receipt);

# 5 x 7 dots a letter, a hex digit pair a row
my %FONT = (
    'A' => '0e11111f111111', 'B' => '1e11111e11111e',
    'C' => '0e11101010110e', 'D' => '1e11111111111e',
    'E' => '1f10101e10101f', 'F' => '1f10101e101010',
    'G' => '0e11101711110f', 'H' => '1111111f111111',
    'I' => '0e04040404040e', 'J' => '0702020202120c',
    'K' => '11121418141211', 'L' => '1010101010101f',
    'M' => '111b1515111111', 'N' => '11191513111111',
    'O' => '0e11111111110e', 'P' => '1e11111e101010',
    'Q' => '0e11111115120d', 'R' => '1e11111e141211',
    'S' => '0f10100e01011e', 'T' => '1f040404040404',
    'U' => '1111111111110e', 'V' => '11111111110a04',
    'W' => '1111111515150a', 'X' => '11110a040a1111',
    'Y' => '11110a04040404', 'Z' => '1f01020408101f',
    '0' => '0e11131519110e', '1' => '040c040404040e',
    '2' => '0e11010204081f', '3' => '1f02040201110e',
    '4' => '02060a121f0202', '5' => '1f101e0101110e',
    '6' => '0608101e11110e', '7' => '1f010204080808',
    '8' => '0e11110e11110e', '9' => '0e11110f01020c',
    '.' => '00000000000c0c', ',' => '000000000c0408',
    '-' => '0000001f000000', ':' => '000c0c000c0c00',
    '/' => '00010204081000', '*' => '0004150e150400',
    '=' => '00001f001f0000', '+' => '0004041f040400',
);

use constant W => 480;


sub chunk {
    my ($type, $data) = @_;

    return pack('N', length $data) . $type . $data
        . pack 'N', crc32($type . $data);
}


# Lines of text, 32 letters each at most; seed makes the paper's grain.
sub receipt {
    my ($seed, @lines) = @_;

    my $height = 96 + 26 * @lines;
    my $state = $seed;
    my @rows;

    for my $y (0 .. $height - 1) {
        my $row = '';

        for my $x (0 .. W - 1) {
            $state = ($state * 1103515245 + 12345) & 0x7fffffff;
            my $edge = $x < 24 || $x > W - 25 ? 96 : 0;
            $row .= chr 238 - $edge - (($state >> 16) % 9)
                - int(abs($x - W / 2) / 24);
        }

        push @rows, $row;
    }

    my $y = 48;

    for my $line (@lines) {
        my $x = 48;

        for my $ch (split //, uc $line) {
            my @dots = map { hex } ($FONT{$ch} || '00000000000000') =~ /../g;

            for my $r (0 .. 6) {
                for my $c (grep { $dots[$r] >> (4 - $_) & 1 } 0 .. 4) {
                    substr $rows[$y + 2 * $r + $_], $x + 2 * $c, 2,
                        "\x2a\x2c" for 0, 1;
                }
            }

            $x += 12;
        }

        $y += 26;
    }

    return "\x89PNG\r\n\x1a\n"
        . chunk('IHDR', pack 'NNCCCCC', W, $height, 8, 0, 0, 0, 0)
        . chunk('pHYs', pack 'NNC', 7874, 7874, 1)
        . chunk('IDAT', compress(join('', map { "\0$_" } @rows), 9))
        . chunk('IEND', '');
}


1;
