package Demo::Pdf;

# PDF 1.4 with the standard fonts: text, lines, boxes, tables.  Coordinates
# are points from the upper left corner of an A4 page.

use strict;
use warnings;

use Compress::Zlib qw(compress);
use Encode qw(encode);

use constant WIDTH => 595;
use constant HEIGHT => 842;

# advance widths of Helvetica and Helvetica-Bold, characters 32 to 126
my %WIDTHS = (
    R => [278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278,
          333, 278, 278, (556) x 10, 278, 278, 584, 584, 584, 556, 1015,
          667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
          722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611,
          278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
          556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278,
          556, 500, 722, 500, 500, 500, 334, 260, 334, 584],
    B => [278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278,
          333, 278, 278, (556) x 10, 333, 333, 584, 584, 584, 611, 975,
          722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
          722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611,
          333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611,
          611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333,
          611, 556, 778, 556, 556, 500, 389, 280, 389, 584],
);

# letters with accents are as wide as those without
my $ACCENTS = 'àâäçéèêëîïôöùûüÀÂÄÇÉÈÊËÎÏÔÖÙÛÜ’«»€·–•œ';
my $PLAIN = "aaaceeeeiioouuuAAACEEEEIIOOUUU'==0,0:m";
utf8::decode($ACCENTS);


sub new {
    my ($class, %arg) = @_;

    return bless { %arg, pages => [] }, $class;
}


sub page {
    my ($self) = @_;

    push @{ $self->{pages} }, '';

    return $self;
}


sub pages {
    my ($self) = @_;

    return scalar @{ $self->{pages} };
}


# Adds to the last page, or to page $self->{at}.
sub put {
    my ($self, $operators) = @_;

    my $n = defined $self->{at} ? $self->{at} : $#{ $self->{pages} };
    $self->{pages}[$n] .= $operators . "\n";
}


sub width {
    my ($font, $size, $text) = @_;

    my $sum = 0;
    my $table = $WIDTHS{$font};

    for my $ch (split //, $text) {
        my $i = index $ACCENTS, $ch;
        $ch = substr $PLAIN, $i, 1 if $i >= 0;
        my $n = $ch eq "\x{a0}" ? 0 : ord($ch) - 32;
        $sum += defined $table->[$n] && $n >= 0 ? $table->[$n] : 556;
    }

    return $sum * $size / 1000;
}


sub color {
    my ($hex) = @_;

    return join ' ', map { sprintf '%.3f', hex($_) / 255 }
        $hex =~ /([0-9a-f]{2})/g;
}


sub text {
    my ($self, $x, $y, $text, %arg) = @_;

    my $font = $arg{bold} ? 'B' : 'R';
    my $size = $arg{size} || 10;
    my $w = width($font, $size, $text);

    $x -= $w if ($arg{align} || 'L') eq 'R';
    $x -= $w / 2 if ($arg{align} || 'L') eq 'C';

    my $bytes = encode('cp1252', $text, sub { '?' });
    $bytes =~ s/([\\()])/\\$1/g;

    $self->put(sprintf 'BT /%s %g Tf %s rg %.2f %.2f Td (%s) Tj ET', $font,
               $size, color($arg{color} || '1c2421'), $x, HEIGHT - $y,
               $bytes);

    return $w;
}


# Words set in lines of that width; the y of the line after the last.
sub paragraph {
    my ($self, $x, $y, $width, $text, %arg) = @_;

    my $size = $arg{size} || 10;
    my $line = '';

    for my $word (split / /, $text) {
        my $longer = $line eq '' ? $word : "$line $word";

        if (width('R', $size, $longer) > $width && $line ne '') {
            $self->text($x, $y, $line, %arg);
            $y += $size * 1.45;
            $longer = $word;
        }

        $line = $longer;
    }

    $self->text($x, $y, $line, %arg);

    return $y + $size * 1.45;
}


sub box {
    my ($self, $x, $y, $w, $h, $hex) = @_;

    $self->put(sprintf '%s rg %.2f %.2f %.2f %.2f re f', color($hex), $x,
               HEIGHT - $y - $h, $w, $h);
}


sub line {
    my ($self, $x1, $y1, $x2, $y2, %arg) = @_;

    $self->put(sprintf '%s RG %g w %.2f %.2f m %.2f %.2f l S',
               color($arg{color} || 'd5d9d7'), $arg{width} || 0.6,
               $x1, HEIGHT - $y1, $x2, HEIGHT - $y2);
}


# Rows of cells; columns are [right or left edge, align].  A row that begins
# with "=" is a total, with "#" a heading.
sub table {
    my ($self, $x, $y, $w, $columns, $rows, %arg) = @_;

    my $step = $arg{step} || 17;

    for my $row (@$rows) {
        my @cells = @$row;
        my $total = $cells[0] =~ s/^=//;
        my $head = $cells[0] =~ s/^#//;

        if ($head) {
            $self->box($x, $y - 12, $w, $step, '14584a');
        } elsif ($total) {
            $self->box($x, $y - 12, $w, $step, 'eaf1ee');
        }

        for my $i (0 .. $#cells) {
            my ($edge, $align) = @{ $columns->[$i] };
            $self->text($edge, $y, $cells[$i], align => $align, size => 9,
                        bold => $total || $head,
                        color => $head ? 'ffffff' : '1c2421');
        }

        $self->line($x, $y + 5, $x + $w, $y + 5) unless $head;
        $y += $step;
    }

    return $y;
}


# The logo of the firm: a rounded square with an M.
sub logo {
    my ($self, $x, $y, $s) = @_;

    my $u = $s / 40;
    my $p = sub { sprintf '%.2f %.2f', $x + $_[0] * $u,
                  HEIGHT - $y - $_[1] * $u };

    $self->put(join ' ', color('14584a'), 'rg', $p->(10, 0), 'm',
               $p->(30, 0), 'l', $p->(40, 0), $p->(40, 0), $p->(40, 10), 'c',
               $p->(40, 30), 'l', $p->(40, 40), $p->(40, 40), $p->(30, 40),
               'c', $p->(10, 40), 'l', $p->(0, 40), $p->(0, 40), $p->(0, 30),
               'c', $p->(0, 10), 'l', $p->(0, 0), $p->(0, 0), $p->(10, 0),
               'c f');
    $self->put(join ' ', '1 1 1 RG 1 J 1 j', sprintf('%.2f w', 3.6 * $u),
               $p->(10, 28), 'm', $p->(10, 12.5), 'l', $p->(20, 23), 'l',
               $p->(30, 12.5), 'l', $p->(30, 28), 'l S');
    $self->box($x + 18 * $u, $y + 27 * $u, 4 * $u, 4 * $u, 'e9b872');
}


sub string {
    my ($text) = @_;

    my $bytes = "\xfe\xff" . encode('UTF-16BE', $text);
    $bytes =~ s/([\\()\r\n])/sprintf '\\%03o', ord $1/ge;

    return "($bytes)";
}


sub bytes {
    my ($self) = @_;

    my $n = $self->pages;
    my (@objects, @kids);
    my $stamp = $self->{date} =~ s/-//gr;

    for my $i (0 .. $n - 1) {
        my $stream = compress($self->{pages}[$i], 9);

        push @kids, (6 + 2 * $i) . ' 0 R';
        push @objects,
            '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] '
            . '/Resources << /Font << /R 3 0 R /B 4 0 R >> >> /Contents '
            . (7 + 2 * $i) . ' 0 R >>',
            '<< /Length ' . length($stream)
            . " /Filter /FlateDecode >>\nstream\n$stream\nendstream";
    }

    unshift @objects,
        '<< /Type /Catalog /Pages 2 0 R /Lang (fr-FR) '
        . '/ViewerPreferences << /DisplayDocTitle true >> >>',
        "<< /Type /Pages /Kids [@kids] /Count $n >>",
        (map { "<< /Type /Font /Subtype /Type1 /BaseFont /$_ "
               . '/Encoding /WinAnsiEncoding >>' }
         'Helvetica', 'Helvetica-Bold'),
        '<< /Title ' . string($self->{title}) . ' /Author '
        . string($self->{author}) . ' /Producer (demo) /CreationDate '
        . "(D:${stamp}090000Z) >>";

    my $out = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
    my @offsets;

    for my $i (0 .. $#objects) {
        push @offsets, length $out;
        $out .= ($i + 1) . " 0 obj\n$objects[$i]\nendobj\n";
    }

    my $start = length $out;
    my $size = @objects + 1;

    $out .= "xref\n0 $size\n0000000000 65535 f \n";
    $out .= sprintf "%010d 00000 n \n", $_ for @offsets;

    return $out . "trailer\n<< /Size $size /Root 1 0 R /Info 5 0 R >>\n"
        . "startxref\n$start\n%%EOF\n";
}


1;
