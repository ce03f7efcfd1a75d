#!/usr/bin/perl

# Tests for what is deposited: names as they are sent and kept, types by
# content and by name, and how each leaves again.
#
# A bug that was found here: the script's deposits of a name that is long and
# not Latin were refused, since percent-encoding makes it three times longer.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Encode ();

my $t = Portal::Test->new;
$t->run;

my $db = $t->db;
my $c = $t->client(as => 'owner');
my $png = ($t->documents('alpha'))[4]{content};
my $pdf = ($t->documents('alpha'))[0]{content};

sub bytes { return Encode::encode('UTF-8', $_[0]) }

# The row of a deposit, or the status of its refusal.
sub row {
    my ($r) = @_;
    return $r->status if $r->status != 200;
    my ($id) = $r->json->{location} =~ m{documents/([^/]+)$} or return 'many';
    return $db->row('select * from portal.document where id = ?', $id);
}

sub form {
    my ($content, $name) = @_;
    return row($c->post_multipart('documents',
        [ [ files => $content, $name ] ], accept => 'json'));
}

sub raw {
    my ($content, $name) = @_;
    return row($c->upload('documents', $content, name => $name,
        accept => 'json'));
}

# names: [ as a form sends it, as it is kept, by the script if it differs ]

my @names = (
    [ 'plain.txt', 'plain.txt' ],
    [ 'C:\\Users\\a\\b.txt', 'b.txt' ],
    [ '/etc/passwd/c.txt', 'c.txt' ],
    [ '../../../d.txt', 'd.txt' ],
    [ '..\\..\\e.txt', 'e.txt' ],
    [ '.htaccess.txt', 'htaccess.txt' ],
    [ ' . . f.txt', 'f.txt' ],
    [ 'g.txt. . ', 'g.txt' ],
    [ 'a%22b.txt', 'a"b.txt', 'a"b.txt' ],
    [ 'a\\"c.txt', 'a"c.txt', 'a"c.txt' ],
    [ 'a%0D%0AX-Evil: 1.txt', 'a%0D%0AX-Evil: 1.txt',
        'a%0D%0AX-Evil: 1.txt' ],
    [ "a;b=c&d'e<f>.txt", "a;b=c&d'e<f>.txt" ],
    [ 'été.txt', 'été.txt' ],
    [ bytes("e\x{301}te\x{301}.txt"), bytes("e\x{301}te\x{301}.txt") ],
    [ bytes("\x{1f600}.txt"), bytes("\x{1f600}.txt") ],
    [ bytes("a\x{202e}fdp.txt"), 'afdp.txt' ],
    [ bytes("\x{feff}b\x{200b}c\x{2028}d\x{85}.txt"), 'bcd.txt' ],
    [ '{{title}}{{{name}}}.txt', '{{title}}{{{name}}}.txt' ],
    [ '%00%2e%2e.txt', '%00%2e%2e.txt' ],
    [ 'a' x 300 . '.txt', 'a' x 196 . '.txt' ],
    [ 'é' x 200 . '.txt', 'é' x 98 . '.txt' ],
    [ bytes("\x{1f600}" x 255) . '.txt', bytes("\x{1f600}" x 49) . '.txt' ],
    [ 'TEXT.TXT', 'TEXT.TXT' ],
    [ 'n.' x 100 . 'txt', substr('n.' x 100, 0, 196) . '.txt' ],
);
utf8::is_utf8($_) and die for map { @$_ } @names;

my $n = 0;

for (@names) {
    my ($sent, $kept, $plain) = @$_;
    my $name = substr $sent, 0, 30;

    for my $way (\&form, \&raw) {
        my $content = 'content ' . $n++ . "\n";
        my $d = $way->($content, $way == \&raw && defined $plain ? $plain
            : $sent);
        is(ref $d ? $d->{name} : $d, $kept, "$name: kept");
        next if !ref $d;

        my $r = $c->get("documents/$d->{id}/file");
        is($r->body, $content, "$name: its content");
        my $star = $kept =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger;
        like($r->header('Content-Disposition'),
            qr/; filename\*=UTF-8''\Q$star\E$/, "$name: its name again");
        ok(!defined $r->header('X-Evil'), "$name: no header of its own");
    }
}

# names that are none

for ([ '...', 422 ], [ '/', 422 ], [ "\xe9.txt", 400 ], [ "a\x01.txt", 400 ],
    [ "a\0.txt", 400 ], [ "\xff\xfe", 400 ], [ "\xed\xa0\x80.txt", 400 ],
    [ 'noextension', 422 ], [ "a\r\nX-Evil: 1.txt", 422 ],
    [ 'a.txt"; filename="b.txt', 400 ], [ 'a.txt"; name="csrf', 400 ])
{
    is(form("none\n", $_->[0]), $_->[1],
        'not a name: ' . ($_->[0] =~ s/[^ -~]/?/gr));
}

for ('', '...', '/', "a\0.txt", "\xe9.txt", "\xed\xa0\x80.txt", 'x' x 5000) {
    is(raw("none\n", $_), 400, 'not a name of the script: '
        . (substr($_, 0, 20) =~ s/[^ -~]/?/gr));
}

is($c->post_multipart('documents', [], accept => 'json', type =>
    'multipart/form-data; boundary=b', body => "--b\r\n$_\r\n\r\nx\r\n--b--")
    ->status, 400, "malformed: $_")
    for 'Content-Type: text/plain', 'Content-Disposition: attachment',
        'Content-Disposition: form-data; filename="a.txt"',
        "Content-Disposition: form-data; name=a\r\n"
        . 'Content-Disposition: form-data; name=b', 'X: ' . 'x' x 9000;

# types: [ content, name, type that is found or status ]

my $mz = "MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" . "\0" x 44
    . "\x80\0\0\0" . "\0" x 64 . "PE\0\0L\1";
my $elf = "\x7fELF\2\1\1\0" . "\0" x 8 . "\3\0>\0\1\0\0\0" . "\0" x 40;
my $zip = "PK\3\4\x14\0\0\0\0\0" . "\0" x 16 . "\1\0\0\0ax"
    . "PK\5\6" . "\0" x 18;
my $html = "<!doctype html><html><script>alert(1)</script></html>\n";
my $svg = qq{<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>\n};
my $xml = qq{<?xml version="1.0"?>\n<a><![CDATA[<script>]]></a>\n};
my $gif = "GIF89a/*\1\0\1\0*/=1;alert(1)\0;";
my @never = qw(exe EXE js mjs svgz xhtml mht swf bat cmd com scr ps1 vbs jar
    php sh dll msi hta lnk wsf);

my @types = (
    (map { [ "text\n", "a.$_", 422 ], [ "text\n", "a.pdf.$_", 422 ],
        [ $pdf, "b.pdf.$_", 422 ] } @never),
    (map { [ "text\n", "a.exe$_", 422 ] } '.', ' ', '. .',
        map { bytes($_) } "\x{200b}", "\x{202e}", "\x{feff}", "\x{2066}"),
    [ "text\n", 'a.exe::$DATA', 422 ], [ "text\n", 'a.', 422 ],
    [ $mz, 'a.pdf', 422 ], [ $mz, 'a.exe.pdf', 422 ], [ $mz, 'a.txt', 422 ],
    [ $elf, 'a.pdf', 422 ], [ $elf, 'a.csv', 422 ], [ $zip, 'a.pdf', 422 ],
    [ $html, 'a.pdf', 422 ], [ $html, 'a.png', 422 ], [ $svg, 'a.png', 422 ],
    [ $png, 'a.pdf', 422 ],
    [ $pdf, 'a.png', 422 ], [ $pdf, 'a.txt', 422 ], [ $pdf, 'a.html', 422 ],
    [ $gif, 'a.js', 422 ], [ $gif, 'a.html', 422 ], [ $png, 'a.php.txt', 422 ],
    [ "<?php system(\$_GET[0]); ?>\n", 'a.php.png', 422 ],
    [ "\0\1\2\3", 'a.pdf', 422 ], [ "\0\1\2\3", 'a.bin', 422 ],

    [ $pdf, 'a.pdf', 'application/pdf' ], [ $pdf, 'A.PDF', 'application/pdf' ],
    [ $pdf, 'a.exe.pdf', 'application/pdf' ],
    [ "$pdf$html", 'p.pdf', 'application/pdf' ],
    [ "<!--\n%PDF-1.4 $html", 'q.pdf', 'application/pdf' ],
    [ "$pdf$zip", 'z.pdf', 'application/pdf' ],
    [ $png, 'a.png', 'image/png' ], [ "$png$html", 'h.png', 'image/png' ],
    [ "$png<?php x ?>", 'a.php.png', 'image/png' ],
    [ $gif, 'a.gif', 'image/gif' ], [ $zip, 'a.zip', 'application/zip' ],
    [ $html, 'a.html', 'text/html' ], [ $html, 'a.htm', 'text/html' ],
    [ $html, 'a.txt', 'text/plain' ], [ $xml, 'a.xml', 'text/xml' ],
    [ $svg, 'a.svg', 'image/svg+xml' ], [ "a;b\n", 'a.csv', 'text/csv' ],
    [ "<?xml version='1.0'?><?xml-stylesheet href='a'?><a/>", 'b.xml',
        'text/xml' ],
    [ "JournalCode\tJournalLib\nVE\tVentes\n", '123FEC20251231.txt',
        'text/plain' ],
    [ 'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*',
        'eicar.com', 422 ],
);

for (@types) {
    my ($content, $name, $type) = @$_;

    for my $way (\&form, \&raw) {
        my $d = $way->($content, $name);
        is(ref $d ? $d->{mime} : $d, $type, "$name: $type");
        next if !ref $d;

        my $shown = $type =~ m{^(?:application/pdf|image/png)$} ? 1 : 0;
        is($d->{inline}, $shown, "$name: inline");

        my $r = $c->get("documents/$d->{id}/file");
        is($r->header('Content-Type'), $type, "$name: leaves as it is");
        like($r->header('Content-Disposition'), qr/^attachment;/,
            "$name: as attachment");
        is($r->body, $content, "$name: unchanged");
        is($c->get("documents/$d->{id}/preview")->status,
            $shown ? 200 : 404, "$name: preview");
    }
}

is($c->get('documents', rules => 0)->status, 200, 'the list of them all');
$t->done;
