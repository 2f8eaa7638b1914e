//! CAs of several machines, not all of which know at once what was made.

use acme_client::messages::{Problem, ProblemType};
use acme_testing::{Failure, Operation as Asked};

use crate::world::{World, builder, within};

// At Let's Encrypt a look goes to another database than what was made, seconds behind it at times.
#[tokio::test]
async fn what_is_not_known_everywhere_yet_is_looked_for_again() {
    let problem = Problem::new(ProblemType::Malformed, "no such thing");
    let absent = || Failure::problem(404, problem.clone());
    for what in [
        Asked::Authorization,
        Asked::Challenge,
        Asked::Order,
        Asked::Finalize,
    ] {
        let world = World::with(builder().processing_polls(1)).await;
        let account = world.account().await;
        for _ in 0..2 {
            world.ca.fail_next(what, absent());
        }
        let request = world.request(&["a.example"]);
        let obtained = within(account.obtain(&request)).await;
        obtained.unwrap_or_else(|error| panic!("{what:?}: {error}"));
        assert_eq!(world.asked_for(Asked::NewOrder), 1);

        // It ends, and answers come down.
        for _ in 0..40 {
            world.ca.fail_next(what, absent());
        }
        world.ca.clear_requests();
        let request = world.request(&["b.example"]);
        let error = within(account.obtain(&request)).await.unwrap_err();
        assert_eq!(error.status(), Some(404), "{what:?}: {error}");
        assert!(world.asked_for(what) <= 6, "{what:?}: {:?}", world.asked());
    }
}
