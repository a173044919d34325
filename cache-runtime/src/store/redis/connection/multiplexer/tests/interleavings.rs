//! Callers, driver and peer take turns in any order; callers go at any time, and pieces end
//! anywhere.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;

use crate::store::redis::connection::multiplexer::tests::*;

/// A caller, and what it has sent.
struct Caller<'a> {
    numbers: Vec<usize>,
    exchange: Pin<Box<dyn Future<Output = Result<Vec<RespValue>, Ended>> + 'a>>,
    woken: Arc<Woken>,
}

/// The commands of one caller.
struct Owned<'a> {
    connection: &'a Multiplexer,
    commands: Pipeline,
}

impl Owned<'_> {
    async fn send(self) -> Result<Vec<RespValue>, Ended> {
        self.connection.send(&self.commands).await
    }
}

struct World<'a> {
    connection: &'a Multiplexer,
    driver: Driver,
    awake: Arc<Woken>,
    peer: Peer,
    callers: Vec<Caller<'a>>,
    next: usize,
    /// What the peer has not written.
    output: Vec<u8>,
    pushes: usize,
    /// How many pushes come before the reply of this number.
    before: BTreeMap<usize, usize>,
    told: Arc<AtomicUsize>,
}

impl World<'_> {
    /// One step of those that are possible.
    fn step(&mut self, [kind, which]: [u8; 2]) {
        let which = usize::from(which);
        match kind % 8 {
            0 | 1 => self.call(1 + which % 3),
            2 if !self.callers.is_empty() => {
                self.callers.remove(which % self.callers.len());
            }
            3 | 4 if !self.callers.is_empty() => self.poll(which % self.callers.len()),
            5 if self.awake.take() => {
                assert!(poll(Pin::new(&mut self.driver), &self.awake).is_pending());
            }
            6 => self.answer(which),
            7 => {
                let piece = self.output.len().min(which);
                let written = self.peer.write(&self.output[..piece]);
                self.output.drain(..written);
            }
            _ => {}
        }
    }

    fn call(&mut self, count: usize) {
        let numbers: Vec<_> = (self.next..self.next + count).collect();
        self.next += count;
        let mut commands = Pipeline::new();
        for number in &numbers {
            commands.add_command(echo(*number));
        }
        let exchange = Owned { connection: self.connection, commands }.send();
        let exchange = Box::pin(exchange);
        self.callers.push(Caller { numbers, exchange, woken: Woken::new() });
    }

    /// Polls a caller if it was woken, and looks at what it gets.
    fn poll(&mut self, which: usize) {
        let caller = &mut self.callers[which];
        if !caller.woken.take() {
            return;
        }
        if let Poll::Ready(replies) = poll(caller.exchange.as_mut(), &caller.woken) {
            let replies = replies.expect("the connection stands");
            let numbers: Vec<_> = replies.iter().map(|it| it.text().unwrap().parse()).collect();
            let own: Vec<_> = caller.numbers.iter().copied().map(Ok).collect();
            assert_eq!(numbers, own);
            let before = caller.numbers.iter().map(|number| self.before[number]).max();
            assert!(self.told.load(Ordering::Relaxed) >= before.unwrap_or_default());
            self.callers.remove(which);
        }
    }

    /// The peer reads so many bytes, and has answers to the commands in them.
    fn answer(&mut self, most: usize) {
        for command in self.peer.read(most) {
            let RespValue::Array(words) = command else { panic!("{command:?}") };
            let number: usize = words[1].text().unwrap().parse().unwrap();
            if number.is_multiple_of(3) {
                self.output.extend_from_slice(format!(">1\r\n:{}\r\n", self.pushes).as_bytes());
                self.pushes += 1;
            }
            self.before.insert(number, self.pushes);
            let text = number.to_string();
            self.output.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn everybody_gets_its_own(
        steps in prop::collection::vec(any::<[u8; 2]>(), 0..300),
        capacity in 1_usize..100,
    ) {
        let (peer, socket) = Peer::new(capacity);
        let told = Arc::new(AtomicUsize::new(0));
        let (tell, told_in_order) = (Arc::clone(&told), Arc::new(AtomicBool::new(true)));
        let in_order = Arc::clone(&told_in_order);
        let listener: Listener = Box::new(move |push| {
            let number = i64::try_from(tell.fetch_add(1, Ordering::Relaxed)).unwrap();
            in_order.fetch_and(push == RespValue::Push(vec![RespValue::Int(number)]), Ordering::Relaxed);
        });
        let (connection, driver) = Multiplexer::new(socket, Some(listener));
        let mut world = World {
            connection: &connection,
            driver,
            awake: Woken::new(),
            peer,
            callers: Vec::new(),
            next: 0,
            output: Vec::new(),
            pushes: 0,
            before: BTreeMap::new(),
            told: Arc::clone(&told),
        };
        for step in steps {
            world.step(step);
        }

        // From now on, everybody does what it can, until nobody can do anything. A step that moves
        // no byte and wakes nobody ends it, so that a lost wake-up is seen.
        for _ in 0..100_000 {
            if world.callers.is_empty() && world.output.is_empty() {
                break;
            }
            for which in (0..world.callers.len()).rev() {
                world.poll(which);
            }
            for step in [[5, 0], [6, 255], [7, 255]] {
                world.step(step);
            }
        }
        prop_assert_eq!(world.callers.len(), 0, "somebody was not woken");
        let World { mut driver, awake, pushes, .. } = world;
        prop_assert!(!drive(&mut driver, &awake));
        prop_assert_eq!(told.load(Ordering::Relaxed), pushes);
        prop_assert!(told_in_order.load(Ordering::Relaxed));
    }
}
