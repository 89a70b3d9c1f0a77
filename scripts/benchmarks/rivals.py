"""Other packages' searches on a landscape, with the settings that they recommend for integers and few evaluations.

Each takes a landscape, the evaluator that counts its evaluations, and a seed, and searches until the budget is spent.
Those in `EXTRA` need packages of their own: .venv/bin/pip install -e '.[bench]'
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from pymoo.algorithms.moo.age import AGEMOEA
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.algorithms.moo.sms import SMSEMOA
from pymoo.core.algorithm import Algorithm
from pymoo.core.evaluator import Evaluator as PymooEvaluator
from pymoo.core.problem import Problem as PymooProblem
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.problems.static import StaticProblem

from dynas.core.evaluator import Evaluator
from dynas.core.objectives import Values
from dynas.core.space import Genotypes

Rival = Callable[[Evaluator, int], None]
POPULATION = 50
EXTRA = {"botorch": "botorch", "morbo": "botorch", "smac": "smac"}  # rivals, and the package that they need
REPEATS = 20  # asks without anything new after which a search counts as converged


def ask_until_spent(evaluate: Evaluator, step: Callable[[], None]) -> None:
    """Take steps until the budget is spent or nothing new is asked for any more."""
    idle = 0
    while evaluate.remaining and idle < REPEATS:
        before = evaluate.remaining
        step()
        idle = idle + 1 if evaluate.remaining == before else 0


def pymoo(kind: type[Algorithm]) -> Rival:
    """Return a pymoo algorithm with SBX and polynomial mutation, rounded, as pymoo's guide says for integers."""

    def run(evaluate: Evaluator, seed: int) -> None:
        space, objectives = evaluate.problem.space, evaluate.problem.objectives
        whole = {"vtype": float, "repair": RoundingRepair()}
        algorithm = kind(
            pop_size=POPULATION,
            sampling=IntegerRandomSampling(),
            crossover=SBX(prob=0.9, eta=3.0, **whole),
            mutation=PM(prob=1.0, eta=3.0, **whole),
            eliminate_duplicates=True,
        )
        problem = PymooProblem(
            n_var=space.n_genes, n_obj=len(objectives), n_ieq_constr=1, xl=0, xu=space.cardinality - 1, vtype=int
        )
        algorithm.setup(problem, seed=seed, termination=("n_gen", 10**6))

        def step() -> None:
            asked = algorithm.ask()
            rows = np.asarray(asked.get("X"), dtype=np.int64)
            batch = evaluate(rows)
            if len(batch) == len(rows):
                static = StaticProblem(problem, F=batch.losses, G=batch.violation[:, None])
                PymooEvaluator().eval(static, asked)
                algorithm.tell(infills=asked)

        ask_until_spent(evaluate, step)

    return run


def optuna_sampler(make: Callable[[int, Any], optuna.samplers.BaseSampler]) -> Rival:
    """Return an Optuna sampler over integers."""

    def run(evaluate: Evaluator, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        space, objectives = evaluate.problem.space, evaluate.problem.objectives
        bounded = any(objective.bound is not None for objective in objectives)

        def beyond(trial: optuna.trial.FrozenTrial) -> list[float]:
            return [float(trial.user_attrs["violation"])]

        sampler = make(seed, beyond if bounded else None)
        study = optuna.create_study(directions=["minimize"] * len(objectives), sampler=sampler)

        def step() -> None:
            trial = study.ask()
            row = [trial.suggest_int(str(gene), 0, int(top) - 1) for gene, top in enumerate(space.cardinality)]
            batch = evaluate(np.array([row], dtype=np.int64))
            trial.set_user_attr("violation", float(batch.violation[0]))
            study.tell(trial, batch.losses[0].tolist())

        ask_until_spent(evaluate, step)

    return run


def tpe(seed: int, beyond: Any) -> optuna.samplers.BaseSampler:
    """Return Optuna's TPE, its multivariate version."""
    return optuna.samplers.TPESampler(seed=seed, multivariate=True, constraints_func=beyond)


def nsga2(seed: int, beyond: Any) -> optuna.samplers.BaseSampler:
    """Return Optuna's NSGA-II."""
    return optuna.samplers.NSGAIISampler(seed=seed, constraints_func=beyond)


def gaussian(seed: int, beyond: Any) -> optuna.samplers.BaseSampler:
    """Return Optuna's Gaussian process sampler."""
    return optuna.samplers.GPSampler(seed=seed, deterministic_objective=True, constraints_func=beyond)


def botorch(evaluate: Evaluator, seed: int, batch_size: int = 10) -> None:
    """Search by qLogNEHVI (Ament et al. 2023, arXiv:2310.20708), optimised by BoTorch's discrete local search.

    Genes are scaled to 0 to 1; a bound is an outcome constraint on its objective.
    """
    import torch
    from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
    from botorch.acquisition.multi_objective.objective import IdentityMCMultiOutputObjective
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import ModelListGP, SingleTaskGP
    from botorch.models.transforms import Standardize
    from botorch.optim import optimize_acqf_discrete_local_search
    from gpytorch.mlls import SumMarginalLogLikelihood

    torch.manual_seed(seed)
    torch.set_default_dtype(torch.double)
    space, objectives = evaluate.problem.space, evaluate.problem.objectives
    top = np.maximum(space.cardinality - 1, 1)
    choices = [torch.arange(int(count)) / max(int(count) - 1, 1) for count in space.cardinality]
    evaluate(space.sample_distinct(2 * batch_size, np.random.default_rng(seed)))

    def limit(index: int, bound: float) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda samples: -samples[..., index] - objectives[index].sign * bound

    limits = [limit(index, one.bound) for index, one in enumerate(objectives) if one.bound is not None]

    def step() -> None:
        measured = evaluate.measured
        inputs = torch.tensor(measured.genotypes / top)
        gains = torch.tensor(-measured.losses)
        models = [SingleTaskGP(inputs, gains[:, [m]], outcome_transform=Standardize(1)) for m in range(gains.shape[1])]
        model = ModelListGP(*models)
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        worst: Values = gains.min(dim=0).values.numpy()
        acquisition = qLogNoisyExpectedHypervolumeImprovement(
            model,
            ref_point=(worst - 0.1 * np.ptp(gains.numpy(), axis=0)).tolist(),
            X_baseline=inputs,
            prune_baseline=True,
            objective=IdentityMCMultiOutputObjective(),
            constraints=limits or None,
        )
        found, _ = optimize_acqf_discrete_local_search(
            acquisition,
            q=min(batch_size, evaluate.remaining),
            discrete_choices=choices,
            num_restarts=4,
            raw_samples=256,
            X_avoid=inputs,
            max_batch_size=256,
        )
        rows: Genotypes = np.rint(found.numpy() * top).astype(np.int64)
        evaluate(rows)

    ask_until_spent(evaluate, step)


def morbo(evaluate: Evaluator, seed: int, batch_size: int = 10) -> None:
    """Search with trust regions (`morbo.Morbo`)."""
    import torch
    from morbo import Morbo

    torch.manual_seed(seed)
    search = Morbo(evaluate, seed, batch_size)
    ask_until_spent(evaluate, search.round)


def smac(evaluate: Evaluator, seed: int) -> None:
    """Search by SMAC's facade for many discrete parameters, a random forest, with ParEGO for several objectives.

    SMAC knows no constraints, so what breaks a bound is told as bad as the worst that was measured.
    """
    from ConfigSpace import ConfigurationSpace, Integer
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.multi_objective.parego import ParEGO
    from smac.runhistory import TrialValue

    space, objectives = evaluate.problem.space, evaluate.problem.objectives
    free = np.flatnonzero(space.cardinality > 1)
    genes = ConfigurationSpace(seed=seed)
    genes.add([Integer(str(gene), (0, int(space.cardinality[gene]) - 1)) for gene in free])
    with tempfile.TemporaryDirectory() as folder:
        scenario = Scenario(
            genes,
            objectives=[objective.name for objective in objectives],
            n_trials=evaluate.remaining,
            deterministic=True,
            seed=seed,
            output_directory=Path(folder),
        )
        facade = HyperparameterOptimizationFacade(
            scenario,
            lambda config, seed: np.inf,  # never called, as candidates are asked for
            multi_objective_algorithm=ParEGO(scenario),
            logging_level=False,
        )

        def step() -> None:
            asked = facade.ask()
            row = np.zeros((1, space.n_genes), dtype=np.int64)
            row[0, free] = [asked.config[str(gene)] for gene in free]
            batch = evaluate(row)
            if len(batch):
                losses = batch.losses[0] if batch.violation[0] <= 0 else evaluate.measured.losses.max(axis=0)
                facade.tell(asked, TrialValue(cost=losses.tolist()), save=False)

        ask_until_spent(evaluate, step)


RIVALS: dict[str, Rival] = {
    "pymoo_nsga2": pymoo(NSGA2),
    "pymoo_smsemoa": pymoo(SMSEMOA),
    "pymoo_agemoea": pymoo(AGEMOEA),
    "optuna_nsga2": optuna_sampler(nsga2),
    "optuna_tpe": optuna_sampler(tpe),
    "optuna_gp": optuna_sampler(gaussian),
    "botorch": botorch,
    "morbo": morbo,
    "smac": smac,
}
