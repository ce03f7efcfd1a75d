#!/usr/bin/perl

# Tests for deposits: the form without script, its token, its client, who may
# and who has room; and that a refusal keeps nothing.
#
# Bugs that were found here: a form opened at another client was refused when
# its files were already in the store, and so was a body in chunks that had
# no room, as often as somebody liked to send one; what the page function
# refused stayed in the store, beside any quota; a text of one byte was of no
# type; one session could fill the queue of the threads for all.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Digest::SHA qw(sha256_hex);
use Encode ();
use IO::Select;

my $t = Portal::Test->new;
$t->run(workers => 1, portal => 'client_max_body_size 2m;');

my $db = $t->db;
my $c = $t->client(as => 'owner');
my $png = ($t->documents('alpha'))[4]{content};
my $pdf = ($t->documents('alpha'))[0]{content};

sub count { return $db->value('select count(*) from portal.document') }

# What is in the store, and its whole content is what its name says.
sub store {
    my @files = split /\n/, qx{cd '$t->{dir}/files' && find . -type f};
    return { map { $_ => 1 } @files };
}

# No row, no file, nothing in tmp/.
sub nothing {
    my ($name, $code) = @_;
    my ($rows, $files, $used) = (count(), store(), $db->checksum);
    my $r = $code->();

    is(count(), $rows, "$name: no row");
    ok($t->wait_for(sub { !$t->temp_files }, 2), "$name: nothing in tmp/");
    $t->wait_for(sub { keys %{ store() } == keys %$files }, 2);
    is_deeply(store(), $files, "$name: no file");
    is($db->checksum, $used, "$name: nothing changed");
    return $r;
}

# The rows that were added, with their files as the rows say.
sub added {
    my ($name, $n, $code) = @_;
    my $rows = count();
    my $r = $code->();

    is(count() - $rows, $n, "$name: $n rows");
    ok($t->wait_for(sub { !$t->temp_files }, 2), "$name: nothing in tmp/");
    my @rows = $db->rows(q{select *, encode(hash, 'hex') as hex
        from portal.document where deposited
        order by published_at desc, name limit ?}, $n);
    is(scalar(grep { sha256_hex($t->read($t->stored($_->{hex}))) eq $_->{hex}
        && -s $t->stored($_->{hex}) == $_->{size} } @rows), $n,
        "$name: whole files");
    return $r, @rows;
}

sub parts { return [ map { [ files => $_->[1], $_->[0], $_->[2] ] } @_ ] }

# the form

my ($r, @rows) = added('one', 1, sub {
    $c->post_multipart('documents', parts([ 'a.pdf', $pdf, 'text/html' ])) });
is($r->status, 303, 'one: status');
is($r->location, "/espace-client/documents/$rows[0]{id}", 'one: leads to it');
ok($c->cookie('flash'), 'one: says so');
is_deeply([ @{ $rows[0] }{qw(mime kind inline title name category author)} ],
    [ 'application/pdf', 'pdf', 1, 'a', 'a.pdf', 'depots', 'Alice Alpha' ],
    'one: its row; the type is found, not believed');
is(sprintf('%o', (stat $t->stored($rows[0]{hex}))[2] & 07777), '600',
    'one: mode of its file');

($r, @rows) = added('several', 3, sub { $c->post_multipart('documents',
    parts([ 'b.txt', "b\n" ], [ 'c.csv', "a;b\n1;2\n" ], [ 'd.png', $png ]))
});
is($r->location, '/espace-client/documents', 'several: lead to the list');
is(join(' ', sort map { "$_->{name}=$_->{mime}" } @rows),
    'b.txt=text/plain c.csv=text/csv d.png=image/png', 'several: types');

added('twenty', 20, sub { $c->post_multipart('documents',
    parts(map { [ "n$_.txt", "number $_\n" ] } 1 .. 20)) });
added('the same content twice', 2, sub { $c->post_multipart('documents',
    parts([ 'x.txt', "same\n" ], [ 'y.txt', "same\n" ])) });
added('the same content again', 1, sub { $c->post_multipart('documents',
    parts([ 'z.txt', "same\n" ])) });
added('with an empty field', 1, sub { $c->post_multipart('documents',
    [ [ files => '', '' ], [ files => "e\n", 'e.txt' ], [ other => 'x' ] ])
});
added('texts of one byte', 2, sub { $c->post_multipart('documents',
    parts([ 'one.txt', 'x' ], [ 'line.txt', "\n" ])) });
added('other names of fields', 2, sub { $c->post_multipart('documents',
    [ [ a => "e1\n", 'e.txt' ], [ "b\xc3\xa9" => "e2\n", 'e.txt' ] ]) });

# as a whole: one that is refused refuses all

sub refused {
    my ($name, $status, $error, $parts, %o) = @_;
    my $r = nothing($name, sub {
        $c->post_multipart('documents', $parts, accept => 'json', %o) });

    is($r->status, $status, "$name: status");
    is($r->json->{errors}{files}, $error, "$name: why") if $error;
    return $r;
}

refused('twenty-one', 422, 'files.many',
    parts(map { [ "n$_.txt", "many $_\n" ] } 1 .. 21));
refused('a hundred', 422, 'files.many',
    parts(map { [ "n$_.txt", "many $_\n" ] } 1 .. 100));
refused('no file', 422, 'files.empty', []);
refused('none chosen', 422, 'files.empty', [ [ files => '', '' ] ]);
refused('an empty file', 422, 'files.empty', parts([ 'a.txt', '' ]));
refused('one of two empty', 422, 'files.empty',
    parts([ 'a.txt', "refused\n" ], [ 'b.txt', '' ]));
refused('one byte that is no text', 422, 'files.type',
    parts([ 'a.txt', "\0" ]));
refused('one of two of no type', 422, 'files.type',
    parts([ 'a.txt', "refused\n" ], [ 'b.exe', "MZ\x90\0" ]));
refused('many fields', 400, undef, [ map { [ "f$_" => 'x' ] } 1 .. 60 ]);
refused('token twice', 400, undef, [ [ csrf => $c->csrf ],
    [ csrf => $c->csrf ], @{ parts([ 'a.txt', "x\n" ]) } ]);
refused('long token', 400, undef, [ [ csrf => 'x' x 600 ],
    @{ parts([ 'a.txt', "x\n" ]) } ]);
refused('token wrong', 403, undef, parts([ 'a.txt', "refused\n" ]),
    csrf => $t->client->csrf);
refused('token missing', 403, undef, parts([ 'a.txt', "refused\n" ]),
    csrf => undef);
refused('token of somebody else', 403, undef,
    parts([ 'a.txt', "refused\n" ]), csrf => $t->client(as => 'bob')->csrf);
refused('token only in a file', 403, undef, [ [ csrf => $c->csrf, 'a.txt' ] ],
    csrf => undef);
added('token after the files', 1, sub { $c->post_multipart('documents',
    [ [ files => "after\n", 'a.txt' ], [ csrf => $c->csrf ] ],
    csrf => undef) });

# the page again, with what was wrong

$r = $c->post_multipart('documents', parts([ 'a.exe', "MZ\n" ]));
is($r->status, 422, 'as a page');
like($r->text, qr/Rien n’a été envoyé Format non accepté/, 'and why');
like($r->body, qr/<input type="file"[^>]*aria-invalid="true"/, 'at its field');

# the client of the form

my $both = $t->client(as => 'both');

for my $client (qw(bravo charlie nowhere), "a'\"<", 'x' x 300) {
    $r = nothing("form of $client", sub {
        $both->post_multipart('c/alpha/documents', parts([ 'a.txt',
            "at $client\n" ]), form_client => $client, accept => 'json') });
    is($r->status, 409, "form of $client: status");
}

$r = nothing('form of another, without /c/', sub {
    $c->post_multipart('documents', parts([ 'a.txt', "elsewhere\n" ]),
        form_client => 'bravo', accept => 'json') });
is($r->status, 409, 'form of another: status');
added('form of the same', 1, sub { $both->post_multipart('c/alpha/documents',
    parts([ 'a.txt', "here\n" ]), form_client => 'alpha') });

# who may not, before a byte is read: the answer comes though the body never

sub early {
    my ($name, $c, $status, $path, %o) = @_;
    my $r = nothing($name, sub {
        $c->connect->send($c->bytes('POST', $path // 'documents',
            type => 'application/octet-stream', accept => 'json', %o,
            headers => { 'Content-Length' => 1_000_000, 'X-Portal-Csrf' =>
                $c->csrf, 'X-Portal-File' => 'a.txt', %{ $o{headers} // {} }
            }));
        return $c->recv('POST') });
    is($r->status, $status, "$name: status, at once");
    $c->disconnect;
}

early('nobody', $t->client, 401);
early('reader', $t->client(as => 'reader'), 403);
early('staff', $t->client(as => 'collaborator'), 403, 'c/alpha/documents');
early('somebody else', $t->client(as => 'bob'), 404, 'c/alpha/documents');
early('of two, which?', $both, 404);
early('another origin', $c, 403, undef, headers => {
    'Sec-Fetch-Site' => undef, 'Origin' => 'https://evil.example' });
early('too large', $c, 413, undef,
    headers => { 'Content-Length' => 2 * 1024 * 1024 + 1 });

# room: asked before the body, taken with the commit

$db->do("update portal.client set quota_bytes = used_bytes + 1000
    where slug = 'alpha'");
early('no room', $c, 507);
$r = nothing('in chunks, no room', sub { $c->upload('documents', 'x' x 1001,
    name => 'a.txt', chunked => 500, accept => 'json') });
is($r->status, 507, 'in chunks, no room: found before it is kept');
added('just enough room', 1, sub {
    $c->upload('documents', 'x' x 1000, name => 'a.txt') });
early('not a byte left', $c, 507);
$db->do("update portal.client set quota_bytes = used_bytes + 100000,
    quota_files = used_files where slug = 'alpha'");
early('no room for a file', $c, 507);
$db->do("update portal.client set quota_files = used_files + 3
    where slug = 'alpha'");
$r = nothing('four where three have room', sub {
    $c->post_multipart('documents', parts(map { [ "q$_.txt", "q$_\n" ] } 1, 1,
        2, 3), accept => 'json') });
is_deeply([ $r->status, $r->json->{errors}{files} ], [ 422, 'files.quota' ],
    'four where three have room');
is($db->value("select quota_files - used_files from portal.client
    where slug = 'alpha'"), 3, 'none of them was taken');

# twenty at once for the room of three

my @all = map { $t->client(as => 'owner') } 1 .. 20;
$_->connect->send($_->bytes('POST', 'documents', type => 'text/plain',
    body => 'q' . $_->{socket}->sockport, headers => { 'X-Portal-File' =>
    'q.txt', 'X-Portal-Csrf' => $_->csrf })) for @all;
my %got;
$got{ $_->recv('POST')->status }++ for @all;
is($got{303}, 3, 'twenty at once: three are kept');
is(($got{422} // 0) + ($got{507} // 0), 17, 'the others are told');
is($db->value("select quota_files - used_files from portal.client
    where slug = 'alpha'"), 0, 'no room left, and none below zero');

# what the page function refuses leaves the store, unless it was there

$db->do("update portal.client set quota_files = used_files + 1
    where slug = 'alpha'");
my ($there) = grep { $_->{hex} } $db->rows(q{select encode(hash, 'hex') as hex
    from portal.document where deposited and name = 'z.txt'});
$r = $c->post_multipart('documents', parts([ 'z.txt', "same\n" ],
    [ 'new.txt', "new\n" ]), accept => 'json');
is($r->json->{errors}{files}, 'files.quota', 'of two one was there');
ok($t->wait_for(sub { !-e $t->stored(sha256_hex("new\n")) }, 2),
    'the other one goes');
is($t->read($t->stored($there->{hex})), "same\n", 'it stays');

# a deposit of the same content by somebody else is on its way meanwhile:
# its row finds its file

$db->do("update portal.client set quota_files = case slug
    when 'alpha' then used_files else used_files + 1000 end");
my @same = map { [ $t->client(as => 'owner'), $t->client(as => 'bob') ] }
    1 .. 30;
my $lacks = 0;

for (@same) {
    my ($no, $yes) = @$_;
    my $content = join(' ', 'contended', rand) . "\n";

    for my $c ($no, $yes) {
        $c->connect->send($c->bytes('POST', 'documents', type =>
            'multipart/form-data; boundary=b', accept => 'json', body =>
            Portal::Client::multipart('b', [ csrf => $c->csrf ],
                [ files => $content, 'c.txt' ])));
    }

    $_->recv('POST') for $no, $yes;
    $lacks++ if !-e $t->stored(sha256_hex($content));
}

is($lacks, 0, 'no row without its file');
$db->do("update portal.client set quota_files = used_files + 1000");

# four of one session at a time; each way out makes room for another

sub begun {
    my ($as) = @_;
    my $c = $t->client(%$as);
    $c->{jar} = { %{ $as->{jar} } };
    $c->connect->send($c->bytes('POST', 'documents', type => 'text/plain',
        accept => 'json', headers => { 'X-Portal-Csrf' => $c->csrf,
        'X-Portal-File' => 'slow.txt', 'Content-Length' => 100 }) . 'x');
    return $c;
}

# the answer, if there is one in a moment: nobody has sent the body
sub at_once {
    my ($c) = @_;
    return IO::Select->new($c->{socket})->can_read(0.3) ? $c->recv('POST')
        : undef;
}

my $one = $t->client(as => 'owner', timeout => 5);
my $other = $t->client(as => 'owner', timeout => 5);
my @begun = map { begun($one) } 1 .. 4;
is(scalar(grep { at_once($_) } @begun), 0, 'four are waited for');
$r = at_once(my $fifth = begun($one));
is($r && $r->status, 429, 'the fifth is refused before its body');
cmp_ok($r->header('Retry-After') // 0, '>', 0, 'and is told when');
$fifth->disconnect;
ok(!at_once(begun($other)), 'another session is not');

my %end = (
    'a whole one' => sub { $_[0]->send('x' x 99); $_[0]->recv('POST') },
    'a reset' => sub { $_[0]->abort },
    'an end' => sub { $_[0]->disconnect },
    'a refused one' => sub { $_[0]->send("\0" x 99); $_[0]->recv('POST') },
);

for my $way (sort keys %end) {
    $end{$way}->(shift @begun);
    my $c;
    ok($t->wait_for(sub {
        $c = begun($one);
        my $r = at_once($c) or return 1;
        $c->disconnect;
        return 0;
    }, 3), "$way makes room for one");
    push @begun, $c;
    $r = at_once(my $more = begun($one));
    is($r && $r->status, 429, "$way: and for no more");
    $more->disconnect;
}

$_->disconnect for @begun;

$t->done;
