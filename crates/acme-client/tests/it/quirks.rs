//! What CAs in use say of orders, less or otherwise than RFC 8555 wants: no certificate is lost
//! to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use acme_client::{
    ErrorKind,
    messages::{NewOrder, Problem, ProblemType},
};
use acme_testing::{Failure, NullResponder, Operation as Asked};
use bytes::Bytes;
use http::Response;
use serde_json::{Map, Value, json};

use crate::{
    transport::{Meddle, answer},
    world::{World, builder, http_01, names, request, within},
};

/// Changes the JSON object in an answer.
pub(crate) fn edit(answer: &mut Response<Bytes>, change: impl FnOnce(&mut Map<String, Value>)) {
    if let Ok(Value::Object(mut object)) = serde_json::from_slice(answer.body()) {
        change(&mut object);
        *answer.body_mut() = serde_json::to_vec(&object).unwrap().into();
    }
}

/// Changes each answer whose URL contains this.
fn always(
    world: &World,
    part: &'static str,
    change: impl Fn(&mut Map<String, Value>) + Clone + Send + 'static,
) {
    world.transport.rule(move |request| {
        if !request.uri().path().contains(part) {
            return Meddle::Pass;
        }
        let change = change.clone();
        Meddle::Change(Box::new(move |answer| edit(answer, change)))
    });
}

// Entrust leaves `finalize` out of an order that is valid, and calls its names `identififiers`.
#[tokio::test]
async fn an_order_that_is_over_says_less() {
    let world = World::with(builder().processing_polls(1)).await;
    always(&world, "order/", |order| {
        if order.get("status") == Some(&json!("valid")) {
            order.remove("finalize");
            order.remove("identifiers");
            order.remove("authorizations");
        }
    });
    let account = world.account().await;
    let request = world.request(&["a.example"]);
    let issued = account.obtain(&request).await.unwrap();
    assert_eq!(world.ca.issued().len(), 1);

    // Nor does taking it up again cost another.
    let again = account.resume(&issued.order_url, &request).await.unwrap();
    assert_eq!(again.unwrap().chain, issued.chain);
}

// RFC 8555, section 7.1.3: an order that is over lists what was completed.
#[tokio::test]
async fn an_invalid_order_lists_fewer_authorizations() {
    let world = World::new().await;
    let account = world.account().await;
    always(&world, "order/", |order| {
        if order.get("status") == Some(&json!("invalid")) {
            let urls = order.get_mut("authorizations").unwrap();
            urls.as_array_mut().unwrap().pop();
        }
    });
    // Nothing answers.
    let request = request(&["a.example"]).responder(Arc::new(NullResponder::new(http_01())));
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    assert!(error.to_string().contains("a.example"), "{error}");
}

// The request was taken: what is said of it matters less than what became of it.
#[tokio::test]
async fn an_answer_to_finalize_that_is_no_order_is_looked_behind() {
    for body in ["", "{}", r#"{"status":"processing"}"#, "<p>Accepted</p>"] {
        let world = World::with(builder().processing_polls(1)).await;
        let change = move |answer: &mut Response<Bytes>| *answer.body_mut() = body.into();
        let change = Meddle::Change(Box::new(change));
        world.transport.once("finalize", change);
        let issued = world.obtain(&["a.example"]).await;
        issued.unwrap_or_else(|error| panic!("{body:?}: {error}"));
        assert_eq!(world.asked_for(Asked::Finalize), 1, "{body:?}");
    }
}

// A certificate's URL that comes a look later than the status does.
#[tokio::test]
async fn a_valid_order_names_its_certificate_a_little_later() {
    let world = World::new().await;
    let left = Arc::new(AtomicUsize::new(2));
    always(&world, "order/", move |order| {
        let valid = order.get("status") == Some(&json!("valid"));
        let less = |it: usize| it.checked_sub(1);
        if valid
            && left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
                .is_ok()
        {
            order.remove("certificate");
        }
    });
    world.obtain(&["a.example"]).await.unwrap();
}

// Dates and reasons inform people: what cannot be read of them stops nothing.
#[tokio::test]
async fn what_only_informs_may_make_no_sense() {
    let world = World::new().await;
    world.transport.rule(|_| {
        Meddle::Change(Box::new(|answer| {
            edit(answer, |object| {
                if object.contains_key("expires") {
                    object.insert("expires".to_owned(), json!("2030-01-01 00:00:00"));
                }
                if let Some(Value::Array(challenges)) = object.get_mut("challenges") {
                    for challenge in challenges {
                        challenge["error"] = json!("none");
                        challenge["validated"] = json!("");
                    }
                }
            });
        }))
    });
    world.obtain(&["a.example"]).await.unwrap();
}

// step-ca fills in both dates by itself.
#[tokio::test]
async fn a_lost_order_is_found_whatever_dates_the_ca_gives_it() {
    let world = World::new().await;
    let mut lost = false;
    world.transport.rule(move |request| {
        let path = request.uri().path();
        if path.contains("new-order") && !lost {
            lost = true;
            return Meddle::LoseAnswer;
        }
        if !path.contains("order/") {
            return Meddle::Pass;
        }
        Meddle::Change(Box::new(|answer| {
            edit(answer, |order| {
                order.insert("notBefore".to_owned(), json!("2026-01-01T00:00:00Z"));
                order.insert("notAfter".to_owned(), json!("2026-01-02T00:00:00Z"));
            });
        }))
    });
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

// A list may name orders that are gone.
#[tokio::test]
async fn a_lost_order_is_found_behind_one_that_is_gone() {
    let world = World::new().await;
    let (mut lost, mut gone) = (false, false);
    world.transport.rule(move |request| {
        let path = request.uri().path();
        if path.contains("new-order") && !lost {
            lost = true;
            return Meddle::LoseAnswer;
        }
        if path.ends_with("/orders") || path.contains("/orders/") {
            return Meddle::Change(Box::new(|answer| {
                edit(answer, |list| {
                    let orders = list.get_mut("orders").unwrap().as_array_mut().unwrap();
                    let url = orders.last().unwrap().as_str().unwrap().to_owned();
                    orders.push(json!(format!("{url}-gone")));
                });
            }));
        }
        if path.contains("-gone") && !gone {
            gone = true;
            return Meddle::Answer(answer(
                404,
                "application/problem+json",
                r#"{"type":"urn:ietf:params:acme:error:malformed","detail":"no such order"}"#,
            ));
        }
        Meddle::Pass
    });
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::NewOrder), 1);
}

// Zero, and a date that is over for a clock ahead of the CA's, ask for nothing.
#[tokio::test]
async fn a_wait_of_nothing_is_no_leave_to_pester() {
    for value in ["0", "Sun, 06 Nov 1994 08:49:37 GMT"] {
        let world = World::new().await;
        world.transport.rule(move |request| {
            if !request.uri().path().contains("order/") {
                return Meddle::Pass;
            }
            Meddle::Change(Box::new(move |answer| {
                let value = value.parse().unwrap();
                answer.headers_mut().insert("retry-after", value);
                edit(answer, |order| {
                    order.insert("status".to_owned(), json!("pending"));
                });
            }))
        });
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let looks = world.asked_for(Asked::Order);
        assert!(looks < 100, "{value}: {looks}");
    }
}

// A date counts from the CA's own clock, where it tells the time.
#[tokio::test]
async fn a_date_to_come_back_is_by_the_cas_clock() {
    let world = World::new().await;
    let change = |answer: &mut Response<Bytes>| {
        let headers = answer.headers_mut();
        headers.insert("date", "Sun, 06 Nov 1994 08:49:30 GMT".parse().unwrap());
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        headers.insert("retry-after", date);
    };
    let account = world.account().await;
    let change = Meddle::Change(Box::new(change));
    world.transport.once("new-order", change);
    let new = NewOrder::new(names(&["a.example"]));
    let order = account.new_order(&new).await.unwrap();
    assert_eq!(order.retry_after(), Some(Duration::from_secs(7)));
}

// An error is one line of bounded length, whatever the CA puts into it.
#[tokio::test]
async fn no_text_of_a_ca_breaks_a_line_or_fills_a_log() {
    let check = async |part: &'static str, member: &'static str, text: String| {
        let world = World::new().await;
        always(&world, part, move |object| {
            let text = text.clone();
            match object.get_mut(member) {
                Some(Value::Array(all)) if member == "challenges" => {
                    all.iter_mut().for_each(|it| it["type"] = json!(text));
                }
                Some(Value::Array(all)) => all.iter_mut().for_each(|it| *it = json!(text)),
                Some(it) => *it = json!(text),
                None => {}
            }
        });
        let error = world.obtain(&["a.example"]).await.unwrap_err();
        let line = error.to_string();
        assert!(!line.chars().any(char::is_control), "{line:?}");
        assert!(line.len() < 10_000, "{member}: {}", line.len());
    };
    let evil = "x\n2026-01-01 ERROR \u{1b}[31mforged".to_owned();
    check("authorization", "challenges", evil.clone()).await;
    check("order/", "status", evil.clone()).await;
    check("new-order", "authorizations", format!("https://{evil}")).await;
    check("authorization", "challenges", "y".repeat(100_000)).await;
    check("order/", "status", "z".repeat(100_000)).await;

    let world = World::new().await;
    let detail = "w".repeat(100_000);
    let body = json!({"type": "urn:ietf:params:acme:error:caa", "detail": detail}).to_string();
    let response = answer(403, "application/problem+json", body);
    world.transport.once("new-order", Meddle::Answer(response));
    let line = world.obtain(&["a.example"]).await.unwrap_err().to_string();
    assert!(line.len() < 10_000, "{}", line.len());
    assert!(line.ends_with(']'), "{line}");
}

// A balancer that gives up on the CA says nothing of what the CA has done.
#[tokio::test]
async fn an_order_behind_a_gateway_that_gave_up_is_looked_for() {
    for status in [502, 504] {
        let world = World::new().await;
        let late = move |given: &mut Response<Bytes>| {
            *given = answer(status, "text/html", "<h1>Gateway</h1>");
        };
        let late = Meddle::Change(Box::new(late));
        world.transport.once("new-order", late);
        let issued = world.obtain(&["a.example"]).await;
        issued.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!(world.asked_for(Asked::NewOrder), 1);
        assert_eq!(world.ca.orders().len(), 1);
    }
}

// One of the CA's machines has the certificate, and another not yet.
#[tokio::test]
async fn a_certificate_that_is_not_everywhere_yet_is_waited_for() {
    let world = World::new().await;
    let absent = Problem::new(ProblemType::Malformed, "no such certificate");
    for _ in 0..2 {
        let absent = Failure::problem(404, absent.clone());
        world.ca.fail_next(Asked::Certificate, absent);
    }
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Certificate), 3);

    // But not for ever.
    let world = World::new().await;
    for _ in 0..100 {
        let absent = Failure::problem(404, absent.clone());
        world.ca.fail_next(Asked::Certificate, absent);
    }
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    assert!(world.asked_for(Asked::Certificate) < 20);
}

// An authorization that is listed twice is one.
#[tokio::test]
async fn an_authorization_is_proved_once() {
    let world = World::new().await;
    always(&world, "new-order", |order| {
        let urls = order.get_mut("authorizations").unwrap();
        let urls = urls.as_array_mut().unwrap();
        urls.extend_from_within(..);
    });
    world.obtain(&["a.example"]).await.unwrap();
    assert_eq!(world.asked_for(Asked::Authorization), 1);
    assert_eq!(world.asked_for(Asked::Challenge), 1);
}

// An order whose names have failed already, although it does not say so, is of no use.
#[tokio::test]
async fn an_order_whose_proofs_are_spent_is_replaced() {
    let world = World::new().await;
    let account = world.account().await;
    let new = NewOrder::new(names(&["a.example"]));
    let mut order = account.new_order(&new).await.unwrap();
    order.authorizations().await.unwrap()[0]
        .deactivate()
        .await
        .unwrap();
    always(&world, "/order/", |order| {
        if order.get("status") == Some(&json!("invalid")) {
            order.insert("status".to_owned(), json!("pending"));
        }
    });
    order.refresh().await.unwrap();
    let request = world.request(&["a.example"]);
    let resumed = account.resume(order.url(), &request).await;
    assert!(resumed.unwrap().is_none());
    world.transport.rule(|_| Meddle::Pass);
    let request = request.resuming(order.url());
    account.obtain(&request).await.unwrap();
}

// A name whose challenge has failed already has failed: there is no want of responders.
#[tokio::test]
async fn a_challenge_that_failed_before_is_told_as_that() {
    let world = World::new().await;
    always(&world, "authorization", |authorization| {
        let challenges = authorization.get_mut("challenges").unwrap();
        for challenge in challenges.as_array_mut().unwrap() {
            if challenge["type"] == "http-01" {
                challenge["status"] = json!("invalid");
                challenge["error"] = json!("nobody answered");
            }
        }
    });
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    assert!(error.to_string().contains("nobody answered"), "{error}");

    // Nor is the order worth another try.
    let account = world.account().await;
    let new = NewOrder::new(names(&["a.example"]));
    let order = account.new_order(&new).await.unwrap();
    let request = world.request(&["a.example"]);
    let resumed = account.resume(order.url(), &request).await;
    assert!(resumed.unwrap().is_none());
}

// Nexus does not say how far a challenge is.
#[tokio::test]
async fn a_challenge_without_a_status_is_pending() {
    let world = World::new().await;
    world.transport.rule(|_| {
        Meddle::Change(Box::new(|answer| {
            edit(answer, |object| {
                if object.contains_key("token") {
                    object.remove("status");
                }
                if let Some(Value::Array(challenges)) = object.get_mut("challenges") {
                    for challenge in challenges {
                        challenge.as_object_mut().unwrap().remove("status");
                    }
                }
            });
        }))
    });
    world.obtain(&["a.example", "b.example"]).await.unwrap();
}

// serles looks before it answers, refuses with what it found, and then does nothing more: the
// challenge stays `processing`, and its order would be waited for in vain.
#[tokio::test]
async fn a_refusal_of_an_answer_may_be_the_verdict() {
    const TYPE: &str = "urn:ietf:params:acme:error:connection";
    let world = World::new().await;
    let mut told = false;
    world.transport.rule(move |request| {
        let path = request.uri().path();
        if path.contains("challenge/") {
            told = true;
            let problem = json!({"type": TYPE, "detail": "nobody is there"});
            let body = problem.to_string();
            return Meddle::Answer(answer(400, "application/problem+json", body));
        }
        if !told || !path.contains("authorization/") {
            return Meddle::Pass;
        }
        Meddle::Change(Box::new(|answer| {
            edit(answer, |it| {
                for challenge in it["challenges"].as_array_mut().unwrap() {
                    if challenge["type"] == "http-01" {
                        challenge["status"] = json!("processing");
                        challenge["error"] = json!({"type": TYPE});
                    }
                }
            })
        }))
    });
    let error = world.obtain(&["a.example"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthorizationFailed, "{error}");
    let detail = error.problem().unwrap().detail.as_deref();
    assert_eq!(detail, Some("nobody is there"));
    assert!(error.to_string().contains("a.example"), "{error}");
    assert_eq!(world.asked_for(Asked::Order), 0);
}

// Machines of one CA that disagree for ever: no more is asked than makes sense.
#[tokio::test]
async fn an_order_that_goes_back_and_forth_is_given_up() {
    let world = World::new().await;
    let account = world.account().await;
    let mut said = Vec::new();
    world.transport.rule(move |request| {
        let path = request.uri().path();
        let about_order = ["order/", "finalize/"].iter().any(|it| path.contains(it));
        if !about_order {
            return Meddle::Pass;
        }
        let status = match said.last() {
            Some(&"processing") => "pending",
            Some(_) => "processing",
            None => "ready",
        };
        said.push(status);
        Meddle::Change(Box::new(move |answer| {
            edit(answer, |it| {
                it.insert("status".into(), json!(status));
            })
        }))
    });
    let request = world.request(&["a.example"]);
    let error = within(account.obtain(&request)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OrderFailed, "{error}");
}
