//! Who asks for what, how often: what the service's own visitors and the load generator draw from.

use visitors::client::Request;
use visitors::dice::{Dice, Zipf};

use crate::data::seed::{CATEGORIES, Size};

#[derive(Clone, Copy)]
enum Read {
    FrontPage,
    Category,
    Product,
    Views,
    Search,
    Missing,
    User,
    Cart,
    Report,
}

/// In percent of the reads.
const READS: [(f64, Read); 9] = [
    (8.0, Read::FrontPage),
    (18.0, Read::Category),
    (40.0, Read::Product),
    (6.0, Read::Views),
    (10.0, Read::Search),
    (3.0, Read::Missing),
    (8.0, Read::User),
    (6.0, Read::Cart),
    (1.0, Read::Report),
];

#[derive(Clone, Copy)]
enum Write {
    View,
    Cart,
    Order,
    Price,
}

/// In percent of the writes.
const WRITES: [(f64, Write); 4] =
    [(50.0, Write::View), (30.0, Write::Cart), (8.0, Write::Order), (12.0, Write::Price)];

/// What people look for.
const WORDS: [&str; 12] = [
    "oak", "brass", "red", "lamp", "book", "blue", "chair", "quiet", "cup", "bright", "old", "pen",
];

/// Pages of a category that anybody looks at.
const PAGES: i64 = 5;

/// Requests, and how often each of them is made.
#[derive(Debug)]
pub struct Mix {
    /// The share that writes, from 0 to 1.
    writes: f64,
    products: Zipf,
    users: Zipf,
    pages: Zipf,
    words: Zipf,
    size: Size,
}

impl Mix {
    /// Requests to a shop of some size, of which this share writes, from 0 to 1.
    #[must_use]
    pub fn new(size: Size, writes: f64) -> Self {
        Self {
            writes,
            products: Zipf::new(size.products),
            users: Zipf::new(size.users),
            pages: Zipf::new(PAGES),
            words: Zipf::new(12),
            size,
        }
    }

    /// A request, and whether it reads.
    pub fn draw(&self, dice: &mut Dice) -> (Request, bool) {
        if dice.chance(self.writes) { (self.write(dice), false) } else { (self.read(dice), true) }
    }

    fn read(&self, dice: &mut Dice) -> Request {
        let path = match dice.pick(&READS, Read::Product) {
            Read::FrontPage => "/api/front-page".to_owned(),
            Read::Category => {
                let category = one_of(&CATEGORIES, dice);
                format!("/api/categories/{category}?page={}", self.pages.draw(dice) - 1)
            }
            Read::Product => format!("/api/products/{}", self.products.draw(dice)),
            Read::Views => format!("/api/products/{}/views", self.products.draw(dice)),
            Read::Search => {
                let word = usize::try_from(self.words.draw(dice) - 1).unwrap_or_default();
                format!("/api/search?text={}", WORDS.get(word).unwrap_or(&"oak"))
            }
            // Links to what has gone.
            Read::Missing => format!("/api/products/{}", 1_000_000 + self.pages.draw(dice)),
            Read::User => format!("/api/users/{}", self.users.draw(dice)),
            Read::Cart => format!("/api/carts/{}", self.users.draw(dice)),
            Read::Report => "/api/report".to_owned(),
        };
        Request::new("GET", path, None)
    }

    fn write(&self, dice: &mut Dice) -> Request {
        let (product, user) = (self.products.draw(dice), self.users.draw(dice));
        let with = |body: String, request| Request { body, ..request };
        match dice.pick(&WRITES, Write::View) {
            Write::View => Request::new("POST", format!("/api/products/{product}/views"), None),
            Write::Cart => {
                let pieces = i64::from(dice.chance(0.8));
                let body = format!("{{\"product\":{product},\"pieces\":{pieces}}}");
                with(body, Request::new("PUT", format!("/api/carts/{user}"), None))
            }
            Write::Order => Request::new("POST", format!("/api/carts/{user}/order"), None),
            Write::Price => {
                // Most prices that change are not those of what sells best.
                let product = 1 + self.size.products - product;
                let cents = 500 + self.pages.draw(dice) * 100;
                let path = format!("/api/products/{product}/price");
                with(cents.to_string(), Request::new("PUT", path, None))
            }
        }
    }
}

fn one_of(words: &[&'static str], dice: &mut Dice) -> &'static str {
    let choices: Vec<_> = words.iter().map(|word| (1.0, *word)).collect();
    dice.pick(&choices, "lamps")
}
