//! Visitors of the service's own, so that there is something to see.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio::time::sleep;
use visitors::client::{Client, Request};
use visitors::dice::Dice;

use crate::mix::Mix;
use crate::shop::Shop;

const VISITORS: u64 = 8;

/// Between two requests of a visitor.
const PAUSE: Duration = Duration::from_millis(60);

const WRITES: f64 = 0.08;

/// The share of reads that want nothing cached. It shows how long they would take without a cache.
const PAST_THE_CACHE: f64 = 0.1;

/// Visits the service at `address` while that is switched on, until the service stops.
pub(crate) async fn visit(shop: Shop, address: SocketAddr) {
    let mix = Arc::new(Mix::new(shop.size, WRITES));
    let mut visitors = JoinSet::new();
    for seed in 0..VISITORS {
        visitors.spawn(come(shop.clone(), address, Arc::clone(&mix), Dice::new(seed << 32)));
    }
    shop.stopped.clone().heard().await;
    // Each ends with the answer that it is waiting for: a request whose connection is gone is
    // dropped where it stands.
    shop.troubles.traffic.send_replace(false);
    visitors.join_all().await;
}

async fn come(shop: Shop, address: SocketAddr, mix: Arc<Mix>, mut dice: Dice) {
    let mut switched = shop.troubles.traffic.subscribe();
    loop {
        tokio::select! {
            () = shop.stopped.clone().heard() => return,
            on = switched.wait_for(|on| *on) => if on.is_err() { return },
        }
        if let Err(error) = stay(&switched, address, &mix, &mut dice).await {
            eprintln!("a visitor: {error}");
            sleep(PAUSE).await;
        }
    }
}

async fn stay(
    switched: &Receiver<bool>,
    address: SocketAddr,
    mix: &Mix,
    dice: &mut Dice,
) -> io::Result<()> {
    let mut client = Client::connect(address).await?;
    while *switched.borrow() {
        let (request, reads) = mix.draw(dice);
        let no_cache = reads && dice.chance(PAST_THE_CACHE);
        client.send(&Request { no_cache, ..request }).await?;
        sleep(PAUSE).await;
    }
    Ok(())
}
