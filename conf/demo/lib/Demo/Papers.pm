package Demo::Papers;

# The papers of an accounting firm, filled with figures that follow from the
# client and the period alone: the same call gives the same bytes.

use strict;
use warnings;
use utf8;

use Digest::SHA qw(sha256);
use Encode qw(encode);
use Exporter qw(import);

use Demo::Image qw(receipt);
use Demo::Pdf;
use Demo::Zip qw(docx xlsx zip);

our @EXPORT_OK = qw(accounts annexes bank_statement certificate contract
    entries honorarium letter minutes month_name payslip payslips situation
    supplier_invoice ticket till vat french_date);

my @MONTHS = qw(janvier février mars avril mai juin juillet août septembre
    octobre novembre décembre);


sub month_name { $MONTHS[$_[0] - 1] }


sub french_date {
    my ($y, $m, $d) = split /-/, $_[0];

    return ($d == 1 ? '1er' : $d + 0) . ' ' . month_name($m) . " $y";
}


# "octobre 2026", "d’octobre 2026"
sub period { month_name($_[1]) . " $_[0]" }


sub of_period {
    my $p = period(@_);

    return ($p =~ /^[ao]/ ? 'd’' : 'de ') . $p;
}


# A whole number from lo to hi that follows from the words.
sub pick {
    my ($lo, $hi, @words) = @_;

    my $n = unpack 'N', sha256(encode('UTF-8', join '/', @words));

    return $lo + $n % ($hi - $lo + 1);
}


# 1234567 as "1 234 567", with cents on demand
sub amount {
    my ($n, $cents) = @_;

    my $text = sprintf $cents ? '%.2f' : '%.0f', $n;
    my $space = "\x{a0}";

    $text =~ s/\./,/;
    1 while $text =~ s/^(-?\d+)(\d{3})/$1$space$2/;

    return $text;
}


# --- the sheet all papers are on

sub sheet {
    my ($client, $title, $date, $sub) = @_;

    my $pdf = Demo::Pdf->new(title => "$title, $client->{name}",
                             author => 'Cabinet Martin', date => $date);

    head($pdf, $client, $title, $date, $sub);

    return $pdf;
}


sub head {
    my ($pdf, $client, $title, $date, $sub) = @_;

    $pdf->page;
    $pdf->logo(48, 40, 34);
    $pdf->text(92, 54, 'Cabinet Martin', size => 13, bold => 1);
    $pdf->text(92, 69, 'Experts-comptables · 14 rue Kéréon, 29000 Quimper',
               size => 8, color => '5a5f5c');
    $pdf->text(547, 54, $client->{name}, size => 10, bold => 1, align => 'R');
    $pdf->text(547, 69, "dossier $client->{number} · $client->{address}",
               size => 8, align => 'R', color => '5a5f5c');
    $pdf->line(48, 90, 547, 90, color => 'd9913f', width => 1.2);
    $pdf->text(48, 128, $title, size => 19, bold => 1, color => '14584a');
    $pdf->text(48, 146, $sub || 'Quimper, le ' . french_date($date),
               size => 10, color => '5a5f5c');
}


sub finish {
    my ($pdf) = @_;

    my $n = $pdf->pages;

    for my $i (1 .. $n) {
        $pdf->{at} = $i - 1;
        $pdf->line(48, 792, 547, 792);
        $pdf->text(48, 806, 'Document de démonstration : personnes et '
                   . 'chiffres imaginaires.', size => 8, color => '5a5f5c');
        $pdf->text(547, 806, "page $i sur $n", size => 8, align => 'R',
                   color => '5a5f5c');
    }

    return $pdf->bytes;
}


# --- yearly

# What a client earns and owns in a year: everything adds up.
sub figures {
    my ($client, $year) = @_;

    my %f;
    my $id = $client->{slug};
    my $growth = 1 + ($year - 2022) * 0.042;
    my $share = sub { int $f{sales} * pick($_[0], $_[1], $id, $year, $_[2])
                      / 1000 };

    $f{sales} = int $client->{sales} * $growth
        * pick(970, 1030, $id, $year, 'sales') / 1000;
    $f{purchases} = $share->(300, 330, 'purchases');
    $f{external} = $share->(150, 175, 'external');
    $f{taxes} = $share->(11, 15, 'taxes');
    $f{wages} = $share->(250, 275, 'wages');
    $f{charges} = int $f{wages} * 0.38;
    $f{depreciation} = $share->(35, 45, 'depreciation');
    $f{operating} = $f{sales} - $f{purchases} - $f{external} - $f{taxes}
        - $f{wages} - $f{charges} - $f{depreciation};
    $f{interest} = $share->(4, 8, 'interest');
    $f{tax} = $f{operating} > $f{interest}
        ? int(($f{operating} - $f{interest}) * 0.2) : 0;
    $f{result} = $f{operating} - $f{interest} - $f{tax};

    $f{fixed} = $share->(270, 320, 'fixed');
    $f{stock} = $share->(25, 40, 'stock');
    $f{receivable} = $share->(40, 70, 'receivable');
    $f{capital} = 10000;
    $f{reserves} = $share->(140, 180, 'reserves');
    $f{loans} = $share->(120, 150, 'loans');
    $f{suppliers} = $share->(50, 70, 'suppliers');
    $f{social} = $share->(45, 60, 'social');
    $f{liabilities} = $f{capital} + $f{reserves} + $f{result} + $f{loans}
        + $f{suppliers} + $f{social};
    $f{cash} = $f{liabilities} - $f{fixed} - $f{stock} - $f{receivable};

    return \%f;
}


sub compared {
    my ($pdf, $y, $heading, $f, $g, $year, @lines) = @_;

    return $pdf->table(48, $y, 499,
        [[56, 'L'], [455, 'R'], [539, 'R']],
        [["#$heading", $year, $year - 1],
         map { [$_->[0], amount($f->{$_->[1]}), amount($g->{$_->[1]})] }
         @lines]);
}


sub accounts {
    my ($client, $year, $date) = @_;

    my $f = figures($client, $year);
    my $g = figures($client, $year - 1);
    my $pdf = sheet($client, "Bilan et liasse fiscale $year", $date,
                    "Exercice du 1er janvier au 31 décembre $year, en euros");
    my $y;

    $pdf->text(48, 180, "Chiffre d’affaires", size => 9, color => '5a5f5c');
    $pdf->text(48, 202, amount($f->{sales}) . ' €', size => 17, bold => 1);
    $pdf->text(220, 180, 'Résultat net', size => 9, color => '5a5f5c');
    $pdf->text(220, 202, amount($f->{result}) . ' €', size => 17, bold => 1);
    $pdf->text(392, 180, 'Trésorerie', size => 9, color => '5a5f5c');
    $pdf->text(392, 202, amount($f->{cash}) . ' €', size => 17, bold => 1);

    bars($pdf, $client, $year, 48, 226, 499, 110);

    $y = compared($pdf, 372, 'Actif', $f, $g, $year,
        ['Immobilisations nettes', 'fixed'], ['Stocks', 'stock'],
        ['Créances clients', 'receivable'], ['Disponibilités', 'cash'],
        ['=Total de l’actif', 'liabilities']);
    $y = compared($pdf, $y + 24, 'Passif', $f, $g, $year,
        ['Capital', 'capital'], ['Réserves et report', 'reserves'],
        ['Résultat de l’exercice', 'result'],
        ['Emprunts', 'loans'], ['Dettes fournisseurs', 'suppliers'],
        ['Dettes fiscales et sociales', 'social'],
        ['=Total du passif', 'liabilities']);

    head($pdf, $client, "Compte de résultat $year", $date,
         "Exercice du 1er janvier au 31 décembre $year, en euros");
    $y = compared($pdf, 184, 'Compte de résultat', $f, $g, $year,
        ['=Chiffre d’affaires', 'sales'],
        ['Achats et variation de stocks', 'purchases'],
        ['Autres charges externes', 'external'],
        ['Impôts et taxes', 'taxes'], ['Salaires', 'wages'],
        ['Charges sociales', 'charges'],
        ['Dotations aux amortissements', 'depreciation'],
        ['=Résultat d’exploitation', 'operating'],
        ['Charges d’intérêts', 'interest'],
        ['Impôt sur les sociétés', 'tax'], ['=Résultat net', 'result']);
    $y = $pdf->paragraph(48, $y + 26, 499, comment($client, $f, $g, $year));
    $pdf->text(547, $y + 40, 'Claire Delmas, experte-comptable',
               align => 'R');

    head($pdf, $client, "Liasse fiscale $year, tableau 2058-A", $date,
         'Détermination du résultat fiscal, en euros');
    $pdf->table(48, 184, 499, [[56, 'L'], [455, 'L'], [539, 'R']], [
        ['#Ligne', 'case', 'montant'],
        ['Bénéfice comptable de l’exercice', 'WA', amount($f->{result})],
        ['Impôt sur les sociétés à réintégrer', 'I7', amount($f->{tax})],
        ['Amendes et pénalités', 'WJ', '0'],
        ['Charges non déductibles', 'WE', amount(int $f->{external} / 200)],
        ['=Résultat fiscal', 'XN', amount($f->{result} + $f->{tax}
                                          + int $f->{external} / 200)],
    ]);

    return finish($pdf);
}


sub bars {
    my ($pdf, $client, $year, $x, $y, $w, $h) = @_;

    my @sales = map { figures($client, $_)->{sales} } $year - 4 .. $year;
    my ($top) = sort { $b <=> $a } @sales;
    my $step = $w / @sales;

    for my $i (0 .. $#sales) {
        my $bar = ($h - 30) * $sales[$i] / $top;
        my $left = $x + $i * $step + 12;

        $pdf->box($left, $y + $h - 14 - $bar, $step - 24, $bar,
                  $i == $#sales ? '14584a' : 'b9d3cb');
        $pdf->text($left + ($step - 24) / 2, $y + $h, $year - 4 + $i,
                   size => 8, align => 'C', color => '5a5f5c');
        $pdf->text($left + ($step - 24) / 2, $y + $h - 18 - $bar,
                   amount($sales[$i] / 1000) . ' k€', size => 8,
                   align => 'C');
    }
}


sub comment {
    my ($client, $f, $g, $year) = @_;

    my $change = 100 * ($f->{sales} - $g->{sales}) / $g->{sales};

    return sprintf "Le chiffre d’affaires de %s s’établit à %s € en %d, "
        . "soit %s %.1f %% sur un an. La marge reste à %.0f %% des ventes. "
        . "Après impôt, l’exercice dégage un résultat de %s €. La "
        . "trésorerie de fin d’année couvre %d jours de charges.",
        $client->{name}, amount($f->{sales}), $year,
        $change < 0 ? 'une baisse de' : 'une hausse de', abs $change,
        100 * (1 - $f->{purchases} / $f->{sales}), amount($f->{result}),
        365 * $f->{cash} / ($f->{purchases} + $f->{external} + $f->{wages}
                            + $f->{charges});
}


# --- monthly

sub vat {
    my ($client, $y, $m, $date, $due) = @_;

    my $base = int figures($client, $y)->{sales} / 12
        * pick(85, 115, $client->{slug}, $y, $m, 'vat') / 100;
    my $low = int $base * $client->{low};
    my $out = int $low * 0.055 + int(($base - $low) * 0.2);
    my $in = int $out * pick(45, 70, $client->{slug}, $y, $m, 'in') / 100;

    $in = $out - $due if $due;

    my $pdf = sheet($client, 'TVA ' . of_period($y, $m), $date,
                    'Déclaration CA3, régime réel normal, en euros');

    $pdf->table(48, 184, 499,
        [[56, 'L'], [330, 'L'], [455, 'R'], [539, 'R']], [
        ['#Opérations', 'ligne', 'base', 'taxe'],
        ['Ventes au taux de 20 %', '08', amount($base - $low),
         amount(int(($base - $low) * 0.2))],
        ['Ventes au taux de 5,5 %', '09', amount($low),
         amount(int $low * 0.055)],
        ['=TVA brute', '16', amount($base), amount($out)],
        ['TVA sur immobilisations', '19', '', amount(int $in / 10)],
        ['TVA sur biens et services', '20', '', amount($in - int $in / 10)],
        ['=TVA déductible', '23', '', amount($in)],
        ['=TVA nette à payer', '28', '', amount($out - $in)],
    ]);
    $pdf->box(48, 356, 499, 62, 'eaf1ee');
    $pdf->text(64, 380, amount($out - $in) . ' € seront prélevés le 24 '
               . month_name($m == 12 ? 1 : $m + 1), size => 13, bold => 1);
    $pdf->text(64, 400, 'Vérifiez que le compte professionnel est '
               . 'approvisionné. Vous n’avez rien d’autre à faire.');
    $pdf->text(48, 452, 'Télétransmise à l’administration par le cabinet, '
               . 'accusé n° ' . pick(10000000, 99999999, $client->{slug}, $y,
                                     $m, 'ack'), color => '5a5f5c');

    return finish($pdf);
}


sub slip {
    my ($pdf, $client, $who, $y, $m, $date) = @_;

    my $gross = $who->{gross} * (1 + ($y - 2022) * 0.02)
        + pick(0, 140, $who->{name}, $y, $m);
    my @rates = (['Santé', 0, 7.0], ['Retraite de base', 7.3, 10.57],
                 ['Retraite complémentaire', 4.01, 6.01],
                 ['Famille', 0, 3.45], ['Assurance chômage', 0, 4.05],
                 ['CSG et CRDS', 9.53, 0], ['Mutuelle', 1.1, 1.1]);
    my ($mine, $theirs) = (0, 0);
    my @rows;

    for my $r (@rates) {
        my ($a, $b) = map { $gross * $_ / 100 } @$r[1, 2];

        $mine += $a;
        $theirs += $b;
        push @rows, [$r->[0], amount($gross, 1), amount($a, 1),
                     amount($b, 1)];
    }

    head($pdf, $client, 'Bulletin de paie', $date,
         ucfirst(period($y, $m)) . ", payé le $who->{day} "
         . month_name($m));
    $pdf->text(48, 180, $who->{name}, size => 13, bold => 1);
    $pdf->text(48, 196, "$who->{job} · matricule " . pick(1000, 9999,
               $who->{name}) . ' · 151,67 heures', color => '5a5f5c');

    my $end = $pdf->table(48, 226, 499,
        [[56, 'L'], [330, 'R'], [440, 'R'], [539, 'R']], [
        ['#Rubrique', 'base', 'salarié', 'employeur'],
        ['=Salaire brut', amount($gross, 1), '', ''], @rows,
        ['=Total des cotisations', '', amount($mine, 1),
         amount($theirs, 1)]]);

    $pdf->box(300, $end + 14, 247, 46, '14584a');
    $pdf->text(316, $end + 42, 'Net payé', bold => 1, color => 'ffffff',
               size => 12);
    $pdf->text(531, $end + 42, amount($gross - $mine, 1) . ' €', bold => 1,
               color => 'ffffff', size => 15, align => 'R');
    $pdf->text(48, $end + 90, 'À conserver sans limitation de durée.',
               size => 8, color => '5a5f5c');
}


sub payslips {
    my ($client, $y, $m, $date) = @_;

    my $pdf = Demo::Pdf->new(author => 'Cabinet Martin', date => $date,
        title => 'Bulletins de paie, ' . period($y, $m)
                 . ", $client->{name}");

    slip($pdf, $client, $_, $y, $m, $date) for @{ $client->{staff} };

    return finish($pdf);
}


sub payslip {
    my ($client, $who, $y, $m, $date) = @_;

    my $pdf = Demo::Pdf->new(author => 'Cabinet Martin', date => $date,
        title => "Bulletin de paie, $who->{name}, " . period($y, $m));

    slip($pdf, $client, $who, $y, $m, $date);

    return finish($pdf);
}


# --- letters

sub letter {
    my ($client, $title, $date, @paragraphs) = @_;

    my $pdf = sheet($client, $title, $date);
    my $y = $pdf->paragraph(48, 192, 499, "Bonjour,", size => 11) + 8;

    $y = $pdf->paragraph(48, $y, 499, $_, size => 11) + 8 for @paragraphs;
    $y = $pdf->paragraph(48, $y, 499, 'Nous restons à votre disposition au '
                         . '02 61 91 04 12.', size => 11);
    $pdf->text(547, $y + 40, 'Claire Delmas, experte-comptable', size => 11,
               align => 'R');

    return finish($pdf);
}


sub certificate {
    my ($client, $title, $date, $body, @facts) = @_;

    my $pdf = sheet($client, $title, $date);
    my $y = $pdf->paragraph(48, 196, 499, $body, size => 11);

    $y = $pdf->table(48, $y + 24, 499, [[56, 'L'], [539, 'R']],
                     [['#Renseignement', ''], @facts,
                      ['Numéro de sécurité', join ' ', map {
                          pick(1000, 9999, $client->{slug}, $title, $date, $_)
                       } 1 .. 4]]);
    $pdf->paragraph(48, $y + 30, 499, 'Fait pour servir et valoir ce que de '
                    . 'droit, à Quimper, le ' . french_date($date) . '.');

    return finish($pdf);
}


sub contract {
    my ($client, $title, $date, @articles) = @_;

    my $pdf = sheet($client, $title, $date);
    my ($y, $n) = (190, 0);

    while (my ($heading, $body) = splice @articles, 0, 2) {
        if ($y > 700) {
            head($pdf, $client, "$title (suite)", $date);
            $y = 190;
        }

        $pdf->text(48, $y, 'Article ' . ++$n . ' : ' . $heading, bold => 1,
                   size => 11, color => '14584a');
        $y = $pdf->paragraph(48, $y + 18, 499, $body) + 12;
    }

    $pdf->text(48, $y + 30, "Pour $client->{name}", bold => 1);
    $pdf->text(48, $y + 46, $client->{head});
    $pdf->text(547, $y + 30, 'Pour le Cabinet Martin', bold => 1,
               align => 'R');
    $pdf->text(547, $y + 46, 'Paul Martin', align => 'R');

    return finish($pdf);
}


sub honorarium {
    my ($client, $number, $date, $what, $net) = @_;

    my $pdf = sheet($client, "Facture $number", $date);
    my $vat = $net * 0.2;

    $pdf->table(48, 200, 499, [[56, 'L'], [440, 'R'], [539, 'R']], [
        ['#Prestation', 'quantité', 'montant'],
        [$what, '1', amount($net, 1)],
        ['=Total hors taxes', '', amount($net, 1)],
        ['TVA 20 %', '', amount($vat, 1)],
        ['=Total à régler', '', amount($net + $vat, 1) . ' €']]);
    $pdf->text(48, 320, 'Échéance à trente jours. Prélèvement sur le compte '
               . 'habituel.', color => '5a5f5c');

    return finish($pdf);
}


# --- other formats

sub minutes {
    my ($client, $year, $date) = @_;

    my $f = figures($client, $year);

    return docx(
        '#Procès-verbal de l’assemblée générale ordinaire',
        "$client->{name}, $client->{address}",
        'Le ' . french_date($date) . ', les associés se sont réunis sur '
        . "convocation de $client->{head}.",
        "Première résolution : les comptes de l’exercice $year, qui se "
        . 'soldent par un résultat de ' . amount($f->{result})
        . ' euros, sont approuvés à l’unanimité.',
        'Deuxième résolution : le résultat est affecté aux réserves.',
        'Troisième résolution : quitus est donné à la gérance.',
        'Plus rien n’étant à l’ordre du jour, la séance est levée.');
}


sub situation {
    my ($client, $y, $m) = @_;

    my $f = figures($client, $y);
    my $g = figures($client, $y - 1);

    return xlsx('Situation', ['Poste', $y, $y - 1, 'Écart'], map {
        my ($label, $key) = @$_;
        my ($a, $b) = map { int $_->{$key} * $m / 12 } $f, $g;
        [$label, $a, $b, $a - $b];
    } ['Chiffre d’affaires', 'sales'], ['Achats', 'purchases'],
      ['Charges externes', 'external'], ['Impôts et taxes', 'taxes'],
      ['Salaires', 'wages'], ['Charges sociales', 'charges'],
      ['Dotations', 'depreciation'],
      ['Résultat d’exploitation', 'operating'],
      ['Résultat net', 'result']);
}


# The file of entries that the tax administration asks for.
sub entries {
    my ($client, $year) = @_;

    my @names = qw(JournalCode JournalLib EcritureNum EcritureDate CompteNum
        CompteLib CompAuxNum CompAuxLib PieceRef PieceDate EcritureLib Debit
        Credit EcritureLet DateLet ValidDate Montantdevise Idevise);
    my $text = join("\t", @names) . "\r\n";
    my $n = 0;

    for my $m (1 .. 12) {
        for my $d (3, 11, 19, 27) {
            my $date = sprintf '%d%02d%02d', $year, $m, $d;
            my $net = pick(90000, 900000, $client->{slug}, $date) / 100;
            my $vat = sprintf '%.2f', $net * 0.2;
            my $ref = sprintf 'V%d-%03d', $year, ++$n;

            for my $row (['411000', 'Clients', $net + $vat, 0],
                         ['707000', 'Ventes', 0, $net],
                         ['445710', 'TVA collectée', 0, $vat]) {
                my ($account, $label, @sums) = @$row;
                my ($debit, $credit) = map { sprintf('%.2f', $_) =~ s/\./,/r }
                    @sums;

                $text .= join("\t", 'VE', 'Ventes', $n, $date, $account,
                    $label, '', '', $ref, $date, "Vente $ref", $debit,
                    $credit, '', '', $date, '', '') . "\r\n";
            }
        }
    }

    return encode('UTF-8', $text);
}


sub till {
    my ($client, $y, $m) = @_;

    my $text = "date;especes;carte;ticket_restaurant;total\r\n";

    for my $d (1 .. 28) {
        my @sums = map { pick(4000, 42000, $client->{slug}, $y, $m, $d, $_)
                         / 100 } 'cash', 'card', 'voucher';
        my $sum = $sums[0] + $sums[1] + $sums[2];

        $text .= join(';', sprintf('%02d/%02d/%d', $d, $m, $y),
                      map { sprintf('%.2f', $_) =~ s/\./,/r } @sums, $sum)
            . "\r\n";
    }

    return encode('UTF-8', $text);
}


sub ticket {
    my ($client, $shop, $date, @lines) = @_;

    my ($y, $m, $d) = split /-/, $date;
    my ($sum, @rows) = (0);

    for my $line (@lines) {
        my $price = pick(300, 9000, $client->{slug}, $date, $line) / 100;

        $sum += $price;
        push @rows, sprintf '%-22s %9.2f', $line, $price;
    }

    return receipt(pick(1, 1 << 30, $client->{slug}, $shop, $date),
        $shop, "$d/$m/$y  10:" . pick(10, 59, $shop, $date), '-' x 32,
        @rows, '-' x 32, sprintf('%-22s %9.2f', 'TOTAL EUR', $sum),
        sprintf('%-22s %9.2f', 'DONT TVA 20', $sum - $sum / 1.2), '',
        'CARTE BANCAIRE **** 2187', 'MERCI DE VOTRE VISITE');
}


sub xml_header { qq(<?xml version="1.0" encoding="UTF-8"?>\n) }


# A bank's statement of a month, ISO 20022 camt.053.
sub bank_statement {
    my ($client, $y, $m) = @_;

    my $balance = pick(500000, 4000000, $client->{slug}, $y, $m) / 100;
    my $name = $client->{name} =~ s/&/&amp;/gr;
    my $entries = '';
    my $end = $balance;

    for my $d (2, 5, 9, 12, 16, 19, 23, 26) {
        my $in = pick(0, 2, $client->{slug}, $y, $m, $d, 'side') == 0;
        my $sum = pick(4000, 300000, $client->{slug}, $y, $m, $d) / 100;

        $end += $in ? $sum : -$sum;
        $entries .= sprintf "      <Ntry><Amt Ccy=\"EUR\">%.2f</Amt>"
            . "<CdtDbtInd>%s</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>"
            . "%d-%02d-%02d</Dt></BookgDt></Ntry>\n", $sum,
            $in ? 'CRDT' : 'DBIT', $y, $m, $d;
    }

    my $bal = sub { sprintf "      <Bal><Tp><CdOrPrtry><Cd>%s</Cd>"
        . "</CdOrPrtry></Tp><Amt Ccy=\"EUR\">%.2f</Amt><CdtDbtInd>CRDT"
        . "</CdtDbtInd><Dt><Dt>%d-%02d-%02d</Dt></Dt></Bal>\n", @_ };

    return encode('UTF-8', xml_header()
        . '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">'
        . "\n  <BkToCstmrStmt>\n    <GrpHdr><MsgId>$client->{number}-$y-"
        . sprintf("%02d", $m) . '</MsgId><CreDtTm>'
        . sprintf('%d-%02d-28T18:00:00', $y, $m) . "</CreDtTm></GrpHdr>\n"
        . "    <Stmt>\n      <Id>$y-" . sprintf('%02d', $m)
        . "</Id>\n      <Acct><Ownr><Nm>$name</Nm></Ownr></Acct>\n"
        . $bal->('OPBD', $balance, $y, $m, 1) . $entries
        . $bal->('CLBD', $end, $y, $m, 28)
        . "    </Stmt>\n  </BkToCstmrStmt>\n</Document>\n");
}


# An invoice as the cross-industry invoice of the UN (Factur-X, minimum).
sub supplier_invoice {
    my ($client, $seller, $number, $date) = @_;

    my $net = pick(20000, 200000, $client->{slug}, $seller, $number) / 100;
    my $vat = sprintf '%.2f', $net * 0.2;
    my $day = $date =~ s/-//gr;
    my $buyer = $client->{name} =~ s/&/&amp;/gr;
    my $urn = 'urn:un:unece:uncefact:data:standard:';

    return encode('UTF-8', xml_header() . <<"END");
<rsm:CrossIndustryInvoice xmlns:rsm="${urn}CrossIndustryInvoice:100" xmlns:ram="${urn}ReusableAggregateBusinessInformationEntity:100" xmlns:udt="${urn}UnqualifiedDataType:100">
  <rsm:ExchangedDocumentContext>
    <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:factur-x.eu:1p0:minimum</ram:ID></ram:GuidelineSpecifiedDocumentContextParameter>
  </rsm:ExchangedDocumentContext>
  <rsm:ExchangedDocument>
    <ram:ID>$number</ram:ID><ram:TypeCode>380</ram:TypeCode>
    <ram:IssueDateTime><udt:DateTimeString format="102">$day</udt:DateTimeString></ram:IssueDateTime>
  </rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>
    <ram:ApplicableHeaderTradeAgreement>
      <ram:SellerTradeParty><ram:Name>$seller</ram:Name><ram:PostalTradeAddress><ram:CountryID>FR</ram:CountryID></ram:PostalTradeAddress></ram:SellerTradeParty>
      <ram:BuyerTradeParty><ram:Name>$buyer</ram:Name></ram:BuyerTradeParty>
    </ram:ApplicableHeaderTradeAgreement>
    <ram:ApplicableHeaderTradeDelivery/>
    <ram:ApplicableHeaderTradeSettlement>
      <ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
      <ram:SpecifiedTradeSettlementHeaderMonetarySummation>
        <ram:TaxBasisTotalAmount>@{[sprintf '%.2f', $net]}</ram:TaxBasisTotalAmount>
        <ram:TaxTotalAmount currencyID="EUR">$vat</ram:TaxTotalAmount>
        <ram:GrandTotalAmount>@{[sprintf '%.2f', $net + $vat]}</ram:GrandTotalAmount>
        <ram:DuePayableAmount>@{[sprintf '%.2f', $net + $vat]}</ram:DuePayableAmount>
      </ram:SpecifiedTradeSettlementHeaderMonetarySummation>
    </ram:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>
END
}


sub annexes {
    my ($client, $year, $date) = @_;

    return zip(
        ["balance-$year.csv", balance($client, $year)],
        ["situation-$year.xlsx", situation($client, $year, 12)],
        ["FEC-$year.txt", entries($client, $year)],
        ["bilan-$year.pdf", accounts($client, $year, $date)]);
}


sub balance {
    my ($client, $year) = @_;

    my $f = figures($client, $year);
    my @lines = (['101000', 'Capital', 'capital'],
        ['106000', 'Réserves', 'reserves'], ['164000', 'Emprunts', 'loans'],
        ['215000', 'Matériel', 'fixed'], ['310000', 'Stocks', 'stock'],
        ['401000', 'Fournisseurs', 'suppliers'],
        ['411000', 'Clients', 'receivable'], ['512000', 'Banque', 'cash'],
        ['607000', 'Achats', 'purchases'], ['641000', 'Salaires', 'wages'],
        ['707000', 'Ventes', 'sales']);

    return encode('UTF-8', "compte;libelle;solde\r\n"
        . join '', map { "$_->[0];$_->[1];$f->{$_->[2]}\r\n" } @lines);
}


1;
