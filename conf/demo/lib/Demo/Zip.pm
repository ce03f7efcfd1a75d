package Demo::Zip;

# ZIP archives and, made of them, small XLSX and DOCX files.  Every entry has
# the same time, so that the same content gives the same bytes.

use strict;
use warnings;

use Compress::Zlib qw(crc32 deflateInit MAX_WBITS Z_BEST_COMPRESSION);
use Encode qw(encode);
use Exporter qw(import);

our @EXPORT_OK = qw(zip xlsx docx);

# 2026-01-01 09:00 as DOS writes it
use constant TIME => 9 << 11;
use constant DATE => (2026 - 1980) << 9 | 1 << 5 | 1;

use constant OOXML => 'http://schemas.openxmlformats.org/';
use constant XML => '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    . "\n";


sub raw_deflate {
    my ($data) = @_;

    my $d = deflateInit(-Level => Z_BEST_COMPRESSION,
                        -WindowBits => -MAX_WBITS());
    my ($a) = $d->deflate($data);
    my ($b) = $d->flush;

    return $a . $b;
}


# zip([name, bytes], ...)
sub zip {
    my (@entries) = @_;

    my ($out, $central) = ('', '');

    for my $entry (@entries) {
        my ($name, $data) = @$entry;
        my $packed = raw_deflate($data);

        $name = encode('UTF-8', $name);

        my $common = pack 'vvvvvVVVvv', 20, 0x800, 8, TIME, DATE,
            crc32($data), length $packed, length $data, length $name, 0;

        $central .= pack('Vv', 0x02014b50, 0x314) . $common
            . pack('vvvVV', 0, 0, 0, 0100644 << 16, length $out) . $name;
        $out .= pack('V', 0x04034b50) . $common . $name . $packed;
    }

    return $out . $central
        . pack 'VvvvvVVv', 0x06054b50, 0, 0, scalar @entries,
               scalar @entries, length $central, length $out, 0;
}


sub escape {
    my ($text) = @_;

    my %as = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');
    $text =~ s/([&<>])/$as{$1}/g;

    return encode('UTF-8', $text);
}


sub relations {
    my (@list) = @_;

    my $id = 0;

    return XML . '<Relationships xmlns="' . OOXML
        . 'package/2006/relationships">'
        . join('', map { $id++; sprintf '<Relationship Id="rId%d" Type="'
                         . OOXML . 'officeDocument/2006/relationships/%s" '
                         . 'Target="%s"/>', $id, @$_ } @list)
        . '</Relationships>';
}


sub types {
    my (%parts) = @_;

    return XML . '<Types xmlns="' . OOXML . 'package/2006/content-types">'
        . '<Default Extension="rels" ContentType='
        . '"application/vnd.openxmlformats-package.relationships+xml"/>'
        . '<Default Extension="xml" ContentType="application/xml"/>'
        . join('', map { qq(<Override PartName="$_" ContentType=")
                         . 'application/vnd.openxmlformats-officedocument.'
                         . qq($parts{$_}+xml"/>) } sort keys %parts)
        . '</Types>';
}


# One sheet; the first row is a heading; numbers are told from text.
sub xlsx {
    my ($name, @rows) = @_;

    my ($sheet, $r) = ('', 0);

    for my $row (@rows) {
        my $c = 0;
        $r++;
        $sheet .= qq(<row r="$r">);

        for my $cell (@$row) {
            my $ref = chr(65 + $c++) . $r;
            my $style = $r == 1 ? ' s="1"' : '';

            $sheet .= $cell =~ /^-?[0-9]+(?:\.[0-9]+)?$/
                ? qq(<c r="$ref" s="2"><v>$cell</v></c>)
                : qq(<c r="$ref"$style t="inlineStr"><is><t>)
                  . escape($cell) . '</t></is></c>';
        }

        $sheet .= '</row>';
    }

    my $main = OOXML . 'spreadsheetml/2006/main';

    return zip(
        ['[Content_Types].xml', types(
            '/xl/workbook.xml' => 'spreadsheetml.sheet.main',
            '/xl/styles.xml' => 'spreadsheetml.styles',
            '/xl/worksheets/sheet1.xml' => 'spreadsheetml.worksheet')],
        ['_rels/.rels', relations(['officeDocument', 'xl/workbook.xml'])],
        ['xl/workbook.xml', XML . qq(<workbook xmlns="$main" xmlns:r=")
            . OOXML . 'officeDocument/2006/relationships"><sheets><sheet '
            . 'name="' . escape($name) . '" sheetId="1" r:id="rId1"/>'
            . '</sheets></workbook>'],
        ['xl/_rels/workbook.xml.rels', relations(
            ['worksheet', 'worksheets/sheet1.xml'],
            ['styles', 'styles.xml'])],
        ['xl/styles.xml', XML . qq(<styleSheet xmlns="$main"><fonts count="2">)
            . '<font><sz val="11"/><name val="Calibri"/></font><font><b/>'
            . '<sz val="11"/><name val="Calibri"/></font></fonts>'
            . '<fills count="1"><fill><patternFill patternType="none"/>'
            . '</fill></fills><borders count="1"><border/></borders>'
            . '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs '
            . 'count="3"><xf/><xf fontId="1" applyFont="1"/><xf numFmtId="4" '
            . 'applyNumberFormat="1"/></cellXfs></styleSheet>'],
        ['xl/worksheets/sheet1.xml', XML . qq(<worksheet xmlns="$main"><cols>)
            . '<col min="1" max="1" width="34" customWidth="1"/><col min="2" '
            . 'max="8" width="16" customWidth="1"/></cols><sheetData>'
            . $sheet . '</sheetData></worksheet>'],
    );
}


# Paragraphs; one that begins with "#" is a heading.
sub docx {
    my (@paragraphs) = @_;

    my $body = '';

    for my $text (@paragraphs) {
        my $head = $text =~ s/^#//;

        $body .= '<w:p><w:pPr><w:spacing w:after="160"/></w:pPr><w:r>'
            . ($head ? '<w:rPr><w:b/><w:sz w:val="30"/></w:rPr>' : '')
            . '<w:t xml:space="preserve">' . escape($text)
            . '</w:t></w:r></w:p>';
    }

    return zip(
        ['[Content_Types].xml', types('/word/document.xml'
            => 'wordprocessingml.document.main')],
        ['_rels/.rels', relations(['officeDocument', 'word/document.xml'])],
        ['word/document.xml', XML . '<w:document xmlns:w="' . OOXML
            . qq(wordprocessingml/2006/main"><w:body>$body</w:body>)
            . '</w:document>'],
    );
}


1;
