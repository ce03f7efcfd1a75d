#!/usr/bin/perl

# Tests for every page as each kind of person: no link leads nowhere, and no
# text of a row, of the configuration or of a request becomes markup (T64).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Encode ();

my $t = Portal::Test->new;
my $db = $t->db;
my %set = (site_name => 'Cabinet Test', site_url => 'https://www.example/',
    phone => '02 61 91 04 12', phone_href => 'tel:+33261910412',
    legal_url => '/mentions', privacy_url => '/vie', accessibility_url =>
    '/acces');

$db->do(q{update portal.client set contact_id = ? where slug = 'alpha'},
    $t->id('collaborator'));
$t->run(set => \%set);

# links

my (%assets, %svg);

sub plain {
    my ($url) = @_;
    my %entity = (amp => '&', quot => '"', lt => '<', gt => '>',
        '#39' => "'");
    return $url =~ s/&(amp|quot|lt|gt|#39);/$entity{$1}/gr;
}

# The ids that a page or a picture has.
sub ids { return { map { $_ => 1 } $_[0] =~ /\bid="([^"]+)"/g } }

# Every page that can be reached from the first one; returns path => body.
sub crawl {
    my ($who, @start) = @_;
    my $c = $t->client($who ? (as => $who) : ());
    my (%pages, %seen, @wrong);
    my @queue = map { [ $c->url($_), 'start' ] } @start ? @start : ('');

    while (my $next = shift @queue) {
        my ($url, $from) = @$next;
        my ($path, $fragment) = split /#/, $url, 2;
        next if $seen{$path}++ || keys %seen > 300;

        my $r = $c->get($path);

        if ($r->status == 303) {
            push @queue, [ $r->location, $path ];
            next;
        }

        push @wrong, "$path (from $from): " . $r->status
            if $r->status != 200;
        next if ($r->header('Content-Type') // '') !~ m{^text/html}
            || $r->header('Content-Disposition');

        my $html = $r->body;
        my $ids = ids($html);
        $pages{$path} = $html;

        while ($html =~ /\s(href|src|action|data-\w+-url)="([^"]*)"/g) {
            my ($attribute, $link) = ($1, plain($2));
            next if $link =~ /^(?:tel|mailto):/ || $link =~ m{^https://www\.};
            next if grep { $link eq $_ } @set{qw(legal_url privacy_url
                accessibility_url)};

            if ($link =~ /^#(.*)/) {
                push @wrong, "$path: no $link" if !$ids->{$1};
                next;
            }

            if ($link !~ m{^/espace-client/}) {
                push @wrong, "$path: $link is elsewhere";
                next;
            }

            if ($link =~ m{^([^#]*/assets/[^#]*)(?:#(.*))?$}) {
                my ($asset, $id) = ($1, $2);
                $assets{$asset} //= $c->get($asset);
                push @wrong, "$path: $asset: " . $assets{$asset}->status
                    if $assets{$asset}->status != 200;
                $svg{$asset} //= ids($assets{$asset}->body);
                push @wrong, "$path: no $link"
                    if defined $id && !$svg{$asset}{$id};
                next;
            }

            next if $link =~ m{/(?:revoke|revoke-others|delete|preferences
                |sign-out)$}x;
            push @queue, [ $link, $path ];
        }

        # labels and descriptions name what is there
        push @wrong, map { "$path: no id $_" } grep { !$ids->{$_} }
            map { split ' ' } $html =~
            /\s(?:for|aria-labelledby|aria-describedby)="([^"]*)"/g;
        my %n;
        push @wrong, map { "$path: id $_ twice" } grep { ++$n{$_} == 2 }
            $html =~ /\sid="([^"]+)"/g;
    }

    is(join("\n", @wrong), '', ($who // 'nobody') . ': '
        . keys(%pages) . ' pages, ' . keys(%seen) . ' addresses');
    return \%pages;
}

my %reached;
$reached{nobody} = crawl(undef);
$reached{$_} = crawl($_) for qw(owner reader bob empty both admin manager
    collaborator);

cmp_ok(scalar keys %{ $reached{bob} }, '>=', 30, 'documents are reached');
cmp_ok(scalar keys %{ $reached{both} }, '>=', 30, 'both clients are');
is(scalar(grep { /MARKbravo/ } values %{ $reached{owner} }), 0,
    'no mark of another client');
is(scalar(grep { /MARK/ } values %{ $reached{empty} }), 0,
    'nothing where there is nothing');

# hostile texts: the structure of a page is what it was

my $evil = join '', "<script>alert(1)</script>\"'`>",
    '<img src=x onerror=alert(1)>', '{{title}}{{{title}}}{{@nav.help}}',
    '&lt;b&gt;&#x3c;', "\x{2028}\x{2029}\x{202e}", "</textarea></title>",
    "]]>-->\\u003c\\\r\n%3Cscript%3E", "\x{1f600}\x{e9}";
my $bytes = Encode::encode('UTF-8', $evil);

# Tags with the names of their attributes, in order, and no text.
sub shape {
    my ($html) = @_;
    my @shape;

    while ($html =~ m{<(/?[a-zA-Z!][^\s>/]*)((?:[^>"']|"[^"]*"|'[^']*')*)>}g) {
        my ($tag, $rest) = ($1, $2);
        push @shape, join ' ', $tag, $rest =~ /([a-zA-Z:-]+)(?:="[^"]*")?/g
            if $rest !~ s/"[^"]*"//g || 1;
    }

    return join "\n", @shape;
}

# The first place where they differ.
sub difference {
    my @was = split /\n/, $_[0];
    my @is = split /\n/, $_[1];

    for (0 .. $#was) {
        return "tag $_: $was[$_], now " . ($is[$_] // 'none')
            if ($is[$_] // '') ne $was[$_];
    }

    return @is > @was ? 'more tags' : '';
}

my ($first) = $t->documents('alpha');
my $reader = $t->id('reader');
my @paths = ('documents', "documents/$first->{id}", 'clients', 'sessions',
    'documents?q=zzz', 'documents/00000000-0000-4000-8000-000000000000');
my @whos = ([ reader => '' ], [ admin => 'c/alpha/' ]);

# What is shown only if it is not empty.  A second session, of another
# browser, so that the list has one.
$db->do("update portal.staff set title = 'x', phone = '0'");
$t->session_for('reader', agent => 'Firefox/1 Windows', ip => '192.0.2.1');
$t->session_for('admin', agent => 'Firefox/1 Windows', ip => '192.0.2.1');
$db->do("update portal.document set author = 'x' where id = ?",
    $first->{id});

my %by = map { $_->[0] => $t->client(as => $_->[0]) } @whos;

sub shapes {
    my %shapes;

    for (@whos) {
        my ($who, $base) = @$_;
        my $c = $by{$who};

        for my $path (@paths) {
            my $r = $c->get(($path =~ /^doc/ ? $base : '') . $path,
                rules => 0);
            $shapes{"$who $path"} = [ shape($r->body), $r ];
        }
    }

    return \%shapes;
}

my $before = shapes();

$db->do('update portal.person set name = ?, email = ? where id in (?, ?, ?)',
    substr($bytes, 0, 120), 'x@y', $reader, $reader, $reader);
$db->do('update portal.person set name = ? where id in (?, ?)', $bytes,
    $t->id('collaborator'), $t->id('admin'));
$db->do('update portal.staff set title = ?, phone = ?', $bytes, $bytes);
$db->do("update portal.client set name = ? where slug in ('alpha', 'bravo')",
    $bytes);
$db->do('update portal.category set label_fr = ?, label_en = ?', $bytes,
    $bytes);
$db->do('update portal.document set title = ?, name = ?, author = ?
    where client_id = ?', $bytes, $bytes, $bytes, $t->id('alpha'));
$db->do("update portal.session set ip = ? where agent = 'Firefox/1 Windows'",
    $bytes);

my $after = shapes();

for my $page (sort keys %$before) {
    my ($was, $is) = ($before->{$page}, $after->{$page});
    is($is->[1]->status, $was->[1]->status, "$page: status");
    is(difference($was->[0], $is->[0]), '', "$page: the same tags");
    ok($is->[1]->body !~ /<script>alert|<img src=x/, "$page: nothing runs");
    ok($is->[1]->body =~ /&lt;script&gt;alert\(1\)&lt;/, "$page: is there")
        if $page !~ /0000-4000/;
    ok($is->[1]->body =~ /\{\{title\}\}\{\{\{title\}\}\}/,
        "$page: not a template") if $page =~ /documents$/;
}

my $c = $t->client(as => 'reader');
my $j = $c->get("documents/$first->{id}", accept => 'json')->json;
is(Encode::encode('UTF-8', $j->{title}), $bytes, 'as JSON: as it is');
is($j->{author}, Encode::decode('UTF-8', $bytes), 'each of them');

# what a request says is shown as text as well

my $form = Portal::Client::encode($bytes =~ s/\r|\n//gr);

for my $path ("documents?q=$form", "documents?category=" . substr($form, 0, 9),
    "documents?sort=$form", "documents?year=$form", "sign-in?next=$form",
    "sign-in?next=/espace-client/%22%3E%3Cscript%3E", "nowhere/$form",
    "documents/$form", "c/alpha/$form", "?$form=$form")
{
    for my $client ($c, $t->client) {
        my $r = $client->get($path, rules => 0);
        ok($r->body !~ /<script>alert|<img src=x|"><script/,
            'a request: ' . substr $path, 0, 30);
        ok($r->head !~ /^X-Evil|<script/m, 'nor in a header');
    }
}

my $nobody = $t->client;
my $r = $nobody->post('sign-in', { email => $bytes =~ s/[\r\n]//gr,
    password => 'MARKpassword' }, rules => 0);
ok($r->body !~ /<script>alert|<img src=x/, 'what was typed');
ok($r->body =~ /&lt;script&gt;alert/, 'is shown again, as text');
ok($r->body !~ /MARKpassword/, 'but not the password');

# nor what the administrator writes

$t->write_conf(set => { %set, site_name => 'A & B <b>"\'{{x}}' =~ s/"/\\"/r,
    phone => '<i>0</i>' });
ok($t->reload, 'hostile portal_set');
$r = $t->client->get('sign-in', rules => 0);
ok($r->body =~ /A &amp; B &lt;b&gt;&quot;&#39;\{\{x\}\}/, 'name of the site');
ok($r->body !~ /<b>"|<i>0/, 'nothing of it is markup');

$t->done;
