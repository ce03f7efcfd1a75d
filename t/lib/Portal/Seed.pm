package Portal::Seed;

# The rows and files that every test begins with: see Portal::Test.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);

use constant PASSWORD => 'quatre chevaux sous la pluie';

my $PNG = decode_base64('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUl'
    . 'EQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==');


# argon2id of the password, once a test, with the least that is allowed
sub verifier {
    my ($t) = @_;
    my $ctl = $ENV{PORTAL_CTL} // $t->top . '/build/portalctl';
    my $line = qx{printf '%s\\n' '@{[ PASSWORD ]}' \\
        | '$ctl' hash-password --memory 19456};

    $line =~ /^\d+ \d+ [0-9a-f]{32} [0-9a-f]{64}$/
        or die "portalctl hash-password: $line";
    chomp $line;
    return [ split / /, $line ];
}


sub pdf {
    my ($mark) = @_;
    return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        . "2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n% $mark\n"
        . "trailer<</Root 1 0 R>>\n%%EOF\n";
}


sub plant {
    my ($t, $db) = @_;
    my (%ids, %emails);

    $db->dbh->begin_work;

    for ([ alpha => 'Alpha SARL' ], [ bravo => 'Bravo & Fils' ],
        [ charlie => 'Charlie <SA>' ])
    {
        my ($slug, $name) = @$_;
        $ids{$slug} = $db->client(slug => $slug, name => $name,
            number => uc(substr $slug, 0, 1) . '-100');
    }

    my @people = (
        [ owner => 'alice@alpha.example', 'Alice Alpha',
            { alpha => 'owner' } ],
        [ reader => 'rene@alpha.example', 'René Alpha',
            { alpha => 'reader' } ],
        [ disabled => 'denis@alpha.example', 'Denis Alpha',
            { alpha => 'owner' }, disabled_at => '2026-01-01' ],
        [ bob => 'bob@bravo.example', 'Bob Bravo', { bravo => 'owner' } ],
        [ empty => 'eve@charlie.example', 'Eve Charlie',
            { charlie => 'owner' } ],
        [ both => 'carol@both.example', 'Carol Both',
            { alpha => 'owner', bravo => 'owner' } ],
    );

    for (@people) {
        my ($key, $email, $name, $clients, %columns) = @$_;
        $ids{$key} = $db->person(email => $email, name => $name,
            clients => $clients, %columns);
        $emails{$key} = $email;
    }

    for ([ admin => 'Anne Admin' ], [ manager => 'Marc Manager' ],
        [ collaborator => 'Cléa Collab' ])
    {
        my ($role, $name) = @$_;
        $emails{$role} = "$role\@staff.example";
        $ids{$role} = $db->staff(email => $emails{$role}, name => $name,
            role => $role,
            portfolio => $role eq 'collaborator' ? ['alpha'] : []);
    }

    $t->{ids} = \%ids;
    $t->{emails} = \%emails;
    $t->{documents}{alpha} = [ _documents($db, 'alpha', 5) ];
    $t->{documents}{bravo} = [ _documents($db, 'bravo', 30) ];

    $db->dbh->commit;
    return;
}


sub _documents {
    my ($db, $client, $n) = @_;
    my @list;

    for my $i (0 .. $n - 1) {
        my $mark = "MARK$client$i";
        my ($name, $mime, $content) = @{ (
            [ "$mark.pdf", 'application/pdf', pdf($mark) ],
            [ "$mark.txt", 'text/plain', "$mark\n" ],
            [ "$mark.xml", 'text/xml',
                qq{<?xml version="1.0"?>\n<a>$mark</a>\n} ],
            [ "$mark.csv", 'text/csv', "a;b\n$mark;1\n" ],
            [ "$mark.png", 'image/png', "$PNG$mark" ],
        )[ $i % 5 ] };

        push @list, { client => $client, title => "Titre $mark",
            name => $name, mime => $mime, content => $content,
            date => sprintf('2026-%02d-%02d', 1 + $i % 9, 1 + $i % 28) };
    }

    my @rows = $db->documents(\@list);
    $rows[$_]{content} = $list[$_]{content} for 0 .. $#rows;
    return @rows;
}


1;
