package Portal::Pages;

# Every page in every state, at two sizes, light and dark: form, axe, and a
# picture in build/screenshots.
#
#     use Portal::Pages;
#     Portal::Pages::run('fr');

use strict;
use warnings;

use Portal::Browser;


sub run {
    my ($lang) = @_;
    my $b = Portal::Browser->new(limit => '2m', all => 1,
        facts => { lang => $lang }, run => { pages => 'portal_page  GET '
            . '/refused/:n  refused  access=public  template=-;' });
    my $db = $b->test->db;

    # a page that answers with the status it is asked for
    $db->do(q{create function portal_site.refused(r json) returns json
        language plpgsql as $$
        begin
          return portal.refuse((r -> 'path' ->> 'n')::integer);
        end $$});
    $db->do(q{select portal.page('refused', access => 'public',
        client => 'portal_site.refused', staff => 'portal_site.refused',
        needs_client => false)});

    # a client without a document
    $db->client(slug => 'librairie-neuve', name => 'Librairie Neuve',
        number => '0999');
    $b->person('flora', email => 'flora@librairie-neuve.example',
        name => 'Flora Neuve', clients => { 'librairie-neuve' => 'owner' });

    $b->run('pages.mjs');
    $b->done;
    return;
}


1;
