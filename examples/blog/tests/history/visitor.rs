//! Who reads and writes, and records what came of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use blog::types::{Article, Comment, Draft, Page, Profile};
use cache_testing::barrier::Patience;
use cache_testing::dice::Dice;
use cache_testing::history::{Read, Write};
use cache_testing::within_limit;
use serde::de::DeserializeOwned;
use visitors::client::{Client, Request};

use crate::versions::{Kind, of_article, of_list, of_profile, row};
use crate::world::{World, counted};

/// Follows everybody who writes.
const FOLLOWER: i64 = 7;

/// How old the articles are, in articles, that visitors look at.
const RECENT: u64 = 12;

/// A task that asks both processes.
#[derive(Debug)]
pub(crate) struct Visitor {
    world: Arc<World>,
    dice: Dice,
    clients: [Client; 2],
}

impl Visitor {
    pub(crate) async fn come(world: &Arc<World>, dice: Dice) -> Self {
        let [first, second] = world.addresses;
        let clients =
            [Client::connect(first).await.unwrap(), Client::connect(second).await.unwrap()];
        Self { world: Arc::clone(world), dice, clients }
    }

    pub(crate) async fn follow_everybody(mut self) {
        for user in 1..=self.world.size.users {
            let path = format!("/profiles/{user}/follow");
            let _: i64 = self.ask(0, Request::new("POST", path, Some(FOLLOWER))).await;
        }
    }

    pub(crate) async fn stay(mut self) {
        while !self.world.over.load(Ordering::Relaxed) {
            match self.dice.below(100) {
                0..16 => self.list().await,
                16..26 => self.tagged().await,
                26..36 => self.feed().await,
                36..56 => {
                    let (article, viewer) = (self.article(), self.anybody());
                    self.look_at_article(article, viewer).await;
                }
                56..66 => self.comments().await,
                66..76 => {
                    let (user, viewer) = (self.author(), self.anybody());
                    self.look_at_profile(user, viewer).await;
                }
                76..81 => self.edit_article().await,
                81..85 => self.comment().await,
                85..89 => self.edit_profile().await,
                89..91 => self.add_article().await,
                91..96 => self.favourite().await,
                _ => self.follow().await,
            }
            self.world.operations.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn list(&mut self) {
        let viewer = self.anybody();
        let request = Request::new("GET", "/articles", viewer);
        self.read(request, |page: Page| of_list(Kind::Latest, 0, &page.articles)).await;
    }

    async fn tagged(&mut self) {
        let (tag, viewer) = (self.dice.below(3), self.anybody());
        let request = Request::new("GET", format!("/articles?tag=t{tag}"), viewer);
        self.read(request, |page: Page| of_list(Kind::Tagged, tag, &page.articles)).await;
    }

    async fn feed(&mut self) {
        let request = Request::new("GET", "/feed", Some(FOLLOWER));
        self.read(request, |articles: Vec<Article>| of_list(Kind::Feed, 0, &articles)).await;
    }

    async fn look_at_article(&mut self, article: i64, viewer: Option<i64>) {
        let request = Request::new("GET", format!("/articles/{article}"), viewer);
        let seen = |article: Article| {
            let mut seen = of_article(&article);
            seen.extend(viewer.map(|id| (row(Kind::Favourited, id), article.favourited.into())));
            seen
        };
        self.read(request, seen).await;
    }

    async fn look_at_profile(&mut self, user: i64, viewer: Option<i64>) {
        let request = Request::new("GET", format!("/profiles/{user}"), viewer);
        let seen = |profile: Profile| {
            let mut seen = vec![of_profile(&profile)];
            seen.extend(viewer.map(|id| (row(Kind::Following, id), profile.following.into())));
            seen
        };
        self.read(request, seen).await;
    }

    async fn comments(&mut self) {
        let (article, viewer) = (self.article(), self.anybody());
        let request = Request::new("GET", format!("/articles/{article}/comments"), viewer);
        let seen = |comments: Vec<Comment>| {
            let newest = comments.iter().map(|comment| comment.id).max().unwrap_or_default();
            let authors = comments.iter().map(|comment| of_profile(&comment.author));
            authors.chain([(row(Kind::Comments, article), newest)]).collect()
        };
        self.read(request, seen).await;
    }

    async fn edit_article(&mut self) {
        let (article, author) = self.article_and_author();
        let request = Request::new("PUT", format!("/articles/{article}"), Some(author));
        self.write(request, |version| vec![(row(Kind::Article, article), version)]).await;
    }

    async fn comment(&mut self) {
        let article = self.article();
        let path = format!("/articles/{article}/comments");
        let request = Request::new("POST", path, Some(self.author()));
        self.write(request, |id| vec![(row(Kind::Comments, article), id)]).await;
    }

    async fn edit_profile(&mut self) {
        let user = self.author();
        let request = Request::new("PUT", "/user", Some(user));
        self.write(request, |version| vec![(row(Kind::User, user), version)]).await;
    }

    async fn add_article(&mut self) {
        let (author, tag) = (self.author(), self.dice.below(3));
        let draft = Draft {
            title: "New".to_owned(),
            body: "Something".to_owned(),
            tags: vec![format!("t{tag}")],
        };
        let body = serde_json::to_string(&draft).unwrap();
        let request = Request { body, ..Request::new("POST", "/articles", Some(author)) };
        let made = |id| {
            let lists = [(Kind::Latest, 0), (Kind::Tagged, tag), (Kind::Feed, 0)];
            lists.map(|(kind, of)| (row(kind, of.cast_signed()), id)).to_vec()
        };
        let id = self.write(request, made).await;
        self.world.authors.lock().unwrap().insert(id, author);
        self.world.newest.fetch_max(id, Ordering::Relaxed);
    }

    /// A stranger looks at an article, likes it, and looks again.
    async fn favourite(&mut self) {
        let (article, stranger) = (self.article(), self.stranger());
        self.look_at_article(article, Some(stranger)).await;
        let path = format!("/articles/{article}/favourite");
        let made = |count| {
            vec![(row(Kind::Favourites, article), count), (row(Kind::Favourited, stranger), 1)]
        };
        self.write(Request::new("POST", path, Some(stranger)), made).await;
        self.look_at_article(article, Some(stranger)).await;
    }

    /// The same with a user.
    async fn follow(&mut self) {
        let (user, stranger) = (self.author(), self.stranger());
        self.look_at_profile(user, Some(stranger)).await;
        let path = format!("/profiles/{user}/follow");
        let made = |_| vec![(row(Kind::Following, stranger), 1)];
        self.write(Request::new("POST", path, Some(stranger)), made).await;
        self.look_at_profile(user, Some(stranger)).await;
    }

    /// Asks one of the processes, and records the versions that are seen.
    async fn read<T: DeserializeOwned>(
        &mut self,
        request: Request,
        seen: impl FnOnce(T) -> Vec<(u64, i64)>,
    ) {
        let process = self.dice.index(2);
        let (manner, start) = (request.to_string(), self.world.now());
        let seen = seen(self.ask(process, request).await);
        let end = self.world.now();
        let read = |(row, version): (u64, i64)| {
            let (manner, version) = (manner.clone(), version.cast_unsigned());
            Read { process, row, manner, start, end, version }
        };
        self.world.history.lock().unwrap().reads.extend(seen.into_iter().map(read));
    }

    /// Has one of the processes write, and records the versions that this makes.
    async fn write(&mut self, request: Request, made: impl FnOnce(i64) -> Vec<(u64, i64)>) -> i64 {
        let process = self.dice.index(2);
        let (manner, start) = (request.to_string(), self.world.now());
        let version = self.ask(process, request).await;
        let returned = self.world.now();
        let write = move |(row, version): (u64, i64), acknowledged| Write {
            process,
            row,
            manner: manner.clone(),
            start,
            committed: Some((returned, version.cast_unsigned())),
            returned: Some(returned),
            acknowledged: Some(acknowledged),
            fenced: false,
        };
        let (made, world) = (made(version), Arc::clone(&self.world));
        let record = move |world: &World| {
            let acknowledged = world.now();
            let writes = made.into_iter().map(|made| write(made, acknowledged));
            world.history.lock().unwrap().writes.extend(writes);
        };
        if counted(&mut self.clients[process]).await.undelivered == 0 {
            record(&world);
        } else {
            world.late.fetch_add(1, Ordering::Relaxed);
            self.world.pending.lock().unwrap().spawn(async move {
                let mut client = Client::connect(world.addresses[process]).await.unwrap();
                let patience = Patience::new();
                while counted(&mut client).await.undelivered > 0 {
                    patience.pause("invalidations are delivered").await;
                }
                record(&world);
            });
        }
        version
    }

    async fn ask<T: DeserializeOwned>(&mut self, process: usize, request: Request) -> T {
        let answer = within_limit("an answer", self.clients[process].send(&request)).await;
        answer.and_then(|answer| answer.json()).unwrap_or_else(|error| panic!("{request}: {error}"))
    }

    fn article(&self) -> i64 {
        let newest = self.world.newest.load(Ordering::Relaxed);
        newest - self.dice.below(RECENT).cast_signed()
    }

    fn article_and_author(&self) -> (i64, i64) {
        loop {
            let article = self.article();
            if let Some(author) = self.world.author_of(article) {
                return (article, author);
            }
        }
    }

    fn author(&self) -> i64 {
        self.article_and_author().1
    }

    /// Nobody, or one of a few.
    fn anybody(&self) -> Option<i64> {
        self.dice.percent(50).then(|| 20 + self.dice.below(3).cast_signed())
    }

    fn stranger(&self) -> i64 {
        self.world.strangers.fetch_add(1, Ordering::Relaxed)
    }
}
