"""The files of run folders, whoever writes or reads them."""

RUN = "run.json"  # what a run was started with, where, and how it ended
RESULTS = "results.csv"  # one row per evaluation, the source of truth
CONFIRMED = "confirmed.csv"  # further measurements of the front
TUNED = "tuned.csv"  # members of the front, and the original, measured after tuning
TUNED_FRONT = "tuned_front.csv"  # those that are non-dominated then
TUNED_WEIGHTS = "tuned_row<N>.safetensors"  # and their weights, by index in results.csv
PREDICTORS = (
    "predictors.csv"  # errors of predictors: of a search's own by iteration, or as dynas predictors compares them
)
FRONT = "front.csv"
FRONT_PICTURE = "front.png"
HYPERVOLUME = "hypervolume.csv"
HYPERVOLUME_PICTURE = "hypervolume.png"
EARLIER = "earlier.csv"  # of dynas evaluate: values that the same sub-networks had before
TRANSFER = "transfer.csv"  # of dynas transfer: a front here and where it was found
TRANSFER_PICTURE = "transfer.png"
PREDICTED = "predicted.csv"  # of dynas transfer: what a predictor from there says
TRIALS = "trials.csv"  # of dynas predictors
PREDICTORS_PICTURE = "predictors.png"
CHECK = "check.csv"  # of dynas lut check
CHECKPOINT = "checkpoint.pt"  # of dynas train
TRAINING = "training.csv"  # what was measured on the way
TRAINING_PICTURE = "training.png"
WEIGHTS = "weights.safetensors"
CARD = "model_card.md"
