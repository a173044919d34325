//! What others do to an entry, past the library.

use cache_testing::history::{Loss, Write};

use crate::store::Name;
use crate::testing::simulation::manner::Manner;
use crate::testing::simulation::operations::Operation;
use crate::testing::simulation::world::{World, keys, told_keys};

impl Operation {
    /// Takes something away, after a change of the row or without one.
    pub(super) fn intrude(self, world: &World) {
        let Self { row, manner, .. } = self;
        let (db, start) = (&world.db, world.db.now());
        let committed = (manner == Manner::Outside).then(|| db.bump(row));
        let committed = committed.map(|version| (db.now(), version));
        let mut keys = keys(row);
        if committed.is_none() {
            keys.extend(told_keys(row));
        }
        let which = usize::try_from(start).unwrap() % keys.len();
        world.memory.lose(Name::new(&keys[which]));
        let mut history = world.history.lock().unwrap();
        history.losses.push(Loss { row: Some(row), start, end: db.now() });
        history.writes.push(Write {
            process: usize::MAX,
            row,
            manner: format!("{manner:?}"),
            start,
            committed,
            returned: Some(db.now()),
            acknowledged: Some(db.now()),
            fenced: false,
        });
    }
}
