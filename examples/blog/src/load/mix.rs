//! Who asks for what, how often.

use blog::Size;
use blog::types::Draft;
use visitors::client::Request;
use visitors::dice::{Dice, Zipf};

#[derive(Clone, Copy)]
enum Read {
    List,
    Tagged,
    Feed,
    Article,
    Comments,
    Profile,
    User,
}

/// In percent of the reads.
const READS: [(f64, Read); 7] = [
    (28.0, Read::List),
    (10.0, Read::Tagged),
    (12.0, Read::Feed),
    (28.0, Read::Article),
    (10.0, Read::Comments),
    (8.0, Read::Profile),
    (4.0, Read::User),
];

#[derive(Clone, Copy)]
enum Write {
    Favourite,
    Follow,
    Comment,
    EditArticle,
    EditProfile,
    AddArticle,
}

/// In percent of the writes.
const WRITES: [(f64, Write); 6] = [
    (45.0, Write::Favourite),
    (15.0, Write::Follow),
    (20.0, Write::Comment),
    (10.0, Write::EditArticle),
    (5.0, Write::EditProfile),
    (5.0, Write::AddArticle),
];

/// Pages of lists that anybody looks at.
const PAGES: i64 = 50;
const PAGES_OF_A_TAG: i64 = 5;

/// What the requests are drawn from.
#[derive(Debug)]
pub(crate) struct Mix {
    size: Size,
    writes: f64,
    users: Zipf,
    articles: Zipf,
    tags: Zipf,
    pages: Zipf,
    pages_of_a_tag: Zipf,
}

impl Mix {
    pub(crate) fn new(size: Size, writes: f64) -> Self {
        Self {
            size,
            writes,
            users: Zipf::new(size.users),
            articles: Zipf::new(size.articles),
            tags: Zipf::new(size.tags),
            pages: Zipf::new(PAGES),
            pages_of_a_tag: Zipf::new(PAGES_OF_A_TAG),
        }
    }

    /// A request, and whether it reads.
    pub(crate) fn draw(&self, dice: &mut Dice) -> (Request, bool) {
        if dice.chance(self.writes) { (self.write(dice), false) } else { (self.read(dice), true) }
    }

    fn read(&self, dice: &mut Dice) -> Request {
        let known = self.users.draw(dice);
        let viewer = dice.chance(0.5).then_some(known);
        let get = |path: String, viewer| Request::new("GET", path, viewer);
        match dice.pick(&READS, Read::List) {
            Read::List => get(format!("/articles?page={}", self.pages.draw(dice) - 1), viewer),
            Read::Tagged => {
                let (tag, page) = (self.tag(dice), self.pages_of_a_tag.draw(dice) - 1);
                get(format!("/articles?tag={tag}&page={page}"), viewer)
            }
            Read::Feed => get("/feed".to_owned(), Some(known)),
            Read::Article => get(format!("/articles/{}", self.article(dice)), viewer),
            Read::Comments => get(format!("/articles/{}/comments", self.article(dice)), viewer),
            Read::Profile => get(format!("/profiles/{}", self.author(dice)), viewer),
            Read::User => get("/user".to_owned(), Some(known)),
        }
    }

    fn write(&self, dice: &mut Dice) -> Request {
        let viewer = Some(self.users.draw(dice));
        let article = self.article(dice);
        // Many are undone, or else everybody would end up with everything.
        let method = if dice.chance(0.6) { "POST" } else { "DELETE" };
        let with = |body: &str, request| Request { body: body.to_owned(), ..request };
        match dice.pick(&WRITES, Write::Favourite) {
            Write::Favourite => {
                Request::new(method, format!("/articles/{article}/favourite"), viewer)
            }
            Write::Follow => {
                Request::new(method, format!("/profiles/{}/follow", self.author(dice)), viewer)
            }
            Write::Comment => {
                let path = format!("/articles/{article}/comments");
                with("There is more to say.", Request::new("POST", path, viewer))
            }
            Write::EditArticle => {
                let author = Some(self.size.author_of(article));
                let body = "What there is to say, in other words. ".repeat(20);
                with(&body, Request::new("PUT", format!("/articles/{article}"), author))
            }
            Write::EditProfile => {
                with("Writes about something else.", Request::new("PUT", "/user", viewer))
            }
            Write::AddArticle => {
                let draft = Draft {
                    title: "Something new".to_owned(),
                    body: "What there is to say about it. ".repeat(20),
                    tags: vec![self.tag(dice), self.tag(dice)],
                };
                let body = serde_json::to_string(&draft).unwrap_or_default();
                with(&body, Request::new("POST", "/articles", viewer))
            }
        }
    }

    /// Newer ones more often.
    fn article(&self, dice: &mut Dice) -> i64 {
        1 + self.size.articles - self.articles.draw(dice)
    }

    /// That of an article.
    fn author(&self, dice: &mut Dice) -> i64 {
        self.size.author_of(self.article(dice))
    }

    fn tag(&self, dice: &mut Dice) -> String {
        format!("t{}", self.tags.draw(dice) - 1)
    }
}
